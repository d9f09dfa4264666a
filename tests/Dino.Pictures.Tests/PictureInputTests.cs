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

    [TestCase(8, false, false, 0, 255)]
    [TestCase(16, false, false, 0, 65535)]
    [TestCase(16, false, true, -32768, 32767)]
    [TestCase(32, true, false, 0, 1)]
    public void Full_IsAllThatTheBitsHold(int bits, bool isFloat, bool isSigned, double low, double high) =>
        Assert.That(new PixelDepth(bits, isFloat, isSigned).Full, Is.EqualTo(new ValueRange(low, high)));
}
