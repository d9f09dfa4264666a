using System.Text;
using Dino.Pictures.Decoding;
using NUnit.Framework;

namespace Dino.Benchmarks.Tests;

internal sealed class DecodeBenchmarkTests
{
    [Test]
    public void WhatCannotBeRead_IsLeftOut_AndEachWayToDecodeIsTimed()
    {
        string folder = Directory.CreateTempSubdirectory("dino-decode-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "a.ppm"), Encoding.ASCII.GetBytes("P6 2 1 255\nabcdef"));
            File.WriteAllText(Path.Combine(folder, "b.png"), "no picture");
            using var decoding = new DecodeBenchmark(folder);

            Assert.That((decoding.Count, decoding.Refused), Is.EqualTo((1, 1)));
            foreach (var mode in Enum.GetValues<DecodeMode>())
                Assert.That(decoding.Milliseconds(mode, 0.001), Is.Positive);
            File.Delete(Path.Combine(folder, "a.ppm"));
            Assert.That(() => new DecodeBenchmark(folder), Throws.ArgumentException.With.Message.Contains("can be read"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
