using Dino.Pictures.Decoding;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

[TestFixture]
internal sealed class PictureInputTests
{
    private static readonly byte[] bytes = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];

    [Test]
    public void EveryKind_GivesTheSameBytes_FromAnyPlace()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, bytes);
            using var stream = new MemoryStream([1, 2, .. bytes]) { Position = 2 };
            using PictureInput file = PictureInput.OfFile(path), memory = PictureInput.OfBytes(bytes), read = PictureInput.OfStream(stream);
            foreach (var input in new[] { file, memory, read })
            {
                Assert.That(input.Length, Is.EqualTo(bytes.Length));
                byte[] part = new byte[20];
                Assert.That(input.Read(part, 300), Is.EqualTo(20));
                Assert.That(part, Is.EqualTo(bytes[300..320]));
                Assert.That(input.Read(part, 995), Is.EqualTo(5));
                Assert.That(input.Read(part, 1000), Is.Zero);
            }
            Assert.That(file.Name, Is.EqualTo(path));
            Assert.That(stream.CanRead, "the stream stays open");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void OfFile_OfAFileThatIsMissing_SaysSo() =>
        Assert.That(() => PictureInput.OfFile("no-such-picture.jpg"),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("There is no file no-such-picture.jpg"));

    [Test]
    public void Decode_BlamesTheLibrary_NotTheFile_WhereItIsMissing()
    {
        using var decoder = new ImageDecoder();
        string Reason(Exception thrown)
        {
            using var input = new Failing(thrown);
            return Assert.Throws<ImageDecodeException>(() => decoder.Decode(input, new RgbImage()))!.Reason;
        }

        const string missing = "Unable to load shared library 'libPixels'";
        var inner = new DllNotFoundException($"{missing} or one of its dependencies.\nlibPixels.so: no such file");
        string wanted = $"the library that decodes it cannot be loaded ({missing} or one of its dependencies)";
        Assert.That(Reason(inner), Is.EqualTo(wanted));
        Assert.That(Reason(new TypeInitializationException("Pixels", inner)), Is.EqualTo(wanted));
        Assert.That(Reason(new InvalidOperationException("odd bytes")), Is.EqualTo("its data are damaged"));
    }

    [TestCase(8, false, false, 0, 255)]
    [TestCase(16, false, false, 0, 65535)]
    [TestCase(16, false, true, -32768, 32767)]
    [TestCase(32, true, false, 0, 1)]
    public void Full_IsAllThatTheBitsHold(int bits, bool isFloat, bool isSigned, double low, double high) =>
        Assert.That(new PixelDepth(bits, isFloat, isSigned).Full, Is.EqualTo(new ValueRange(low, high)));

    /// <summary>A picture of which only the first bytes can be had before something is thrown.</summary>
    private sealed class Failing(Exception thrown) : PictureInput("picture.ppm")
    {
        private static readonly byte[] file = [.. "P6 64 64 255\n"u8, .. new byte[3 * 64 * 64]];

        public override long Length => file.Length;

        public override int Read(Span<byte> buffer, long offset)
        {
            if (buffer.Length == file.Length)
                throw thrown;
            int count = Math.Min(buffer.Length, file.Length - (int)offset);
            file.AsSpan((int)offset, count).CopyTo(buffer);
            return count;
        }
    }
}
