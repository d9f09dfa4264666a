using System.Runtime.InteropServices;
using Dino.Cli.Arguments;
using Dino.Model;
using Dino.Model.Weights;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;
using Dino.Testing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>A library's user embeds pictures without the program, and gets what the program writes.</summary>
public class EmbedderTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, checkpoint = null!;

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-embed-").FullName;
        checkpoint = DinoProcess.Train(pictures, Path.Combine(scratch, "run"));
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Features_AreThoseOfTheProgram_ToTheLastBit(bool student)
    {
        string output = Path.Combine(scratch, $"features-{student}");
        string[] which = student ? ["--student"] : [];
        var run = DinoProcess.Run(["features", checkpoint, pictures.Root, "--output-dir", output, "--device", "cpu", .. which]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        byte[] bytes = File.ReadAllBytes(Path.Combine(output, "features.npy"));
        float[] expected = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(NpyFile.HeaderLength)).ToArray();
        var folder = ImageFolder.Scan(pictures.Root);
        string[] paths = [.. Enumerable.Range(0, folder.Count).Select(folder.PathOf)];

        using var embedder = Embedder.Open(checkpoint, Devices.Open("cpu"), new BackboneChoice { Student = student });
        var squares = Array.ConvertAll(paths, path => EvalPicture.Read(path, embedder.Size, embedder.Channels));

        Assert.That((embedder.Size, embedder.Channels, embedder.Width), Is.EqualTo((16, 3, 16)));
        Assert.That(squares.SelectMany(square => embedder.Embed(square)), Is.EqualTo(expected), "one at a time");
        Assert.That(embedder.Embed([.. squares.SelectMany(square => square)]), Is.EqualTo(expected), "together");
    }

    [Test]
    public void Files_Streams_AndBytes_GiveTheFeaturesOfTheProgram_FromManyThreads()
    {
        string output = Path.Combine(scratch, "features-files");
        Assert.That(DinoProcess.Run("features", checkpoint, pictures.Root, "--output-dir", output, "--device", "cpu").Code,
            Is.EqualTo(ExitCode.Ok));
        float[] expected = MemoryMarshal.Cast<byte, float>(
            File.ReadAllBytes(Path.Combine(output, "features.npy")).AsSpan(NpyFile.HeaderLength)).ToArray();
        var folder = ImageFolder.Scan(pictures.Root);
        string[] paths = [.. Enumerable.Range(0, folder.Count).Select(folder.PathOf)];
        var device = Devices.Open("cpu");
        using Embedder one = Embedder.Open(checkpoint, device), other = Embedder.Open(checkpoint, device);

        Assert.That(one.Embed(paths), Is.EqualTo(expected));
        Parallel.For(0, 4 * paths.Length, i =>
        {
            string path = paths[i % paths.Length];
            using var stream = File.OpenRead(path);
            var embedder = i % 2 == 0 ? one : other;
            float[] actual = (i % 3) switch
            {
                0 => embedder.Embed(path),
                1 => embedder.Embed(stream),
                _ => embedder.Embed(File.ReadAllBytes(path)),
            };
            Assert.That(actual, Is.EqualTo(expected[(i % paths.Length * one.Width)..((i % paths.Length + 1) * one.Width)]));
        });
        Assert.That(one.Preprocessing, Is.EqualTo(new Preprocessing()), "exactly, though training read its files fast");
    }

    [Test]
    public void WhatIsNoPicture_IsNamed()
    {
        using var embedder = Embedder.Open(checkpoint, Devices.Open("cpu"));
        Assert.That(() => embedder.Embed("none.png"), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("none.png"));
        Assert.That(() => embedder.Embed("no picture"u8.ToArray()), Throws.TypeOf<ImageDecodeException>());
        Assert.That(embedder.Embed(Array.Empty<string>()), Is.Empty);
    }

    [Test]
    public void NumbersThatAreNoPictures_AreRefused()
    {
        using var embedder = Embedder.Open(Path.GetDirectoryName(checkpoint)!, Devices.Open("cpu"));

        Assert.That(() => embedder.Embed(new float[767]),
            Throws.ArgumentException.With.Message.Contains("767").And.Message.Contains("16 × 16"));
        Assert.That(() => embedder.Embed([]), Throws.ArgumentException);
    }

    [Test]
    public void AFileThatIsMissing_IsAFaultOfItsOwn() => Assert.That(
        () => Embedder.Open(Path.Combine(scratch, "none.pth"), Devices.Open("cpu")),
        Throws.TypeOf<WeightsException>().With.Property(nameof(WeightsException.Fault)).EqualTo(WeightsFault.Missing));
}
