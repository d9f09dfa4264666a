using Dino.Pictures.Decoding;
using NUnit.Framework;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tga;

namespace Dino.Pictures.Tests;

/// <summary>What makes the open advisories of ImageSharp 2.1 unreachable: Directory.Build.props names them.</summary>
public class ImageSharpFormatsTests
{
    [Test]
    public void NoFormatIsRegistered_ThatIsNotUsed()
    {
        var formats = ImageSharpFormats.Configuration.ImageFormats.Select(format => format.Name.ToUpperInvariant());
        Assert.That(formats, Is.EquivalentTo(["JPEG", "PNG", "TGA"]));
        foreach (var start in new[]
        {
            "II*\0\x08\0\0\0\0\0\0\0"u8.ToArray(), "II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"u8.ToArray(), "GIF89a\x01\0\x01\0\0\0\0"u8.ToArray(),
            "BM\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"u8.ToArray(), "RIFF\x1A\0\0\0WEBPVP8L\x0D\0\0\0"u8.ToArray(),
        })
            Assert.That(SixLabors.ImageSharp.Image.DetectFormat(ImageSharpFormats.Configuration, start), Is.Null);
    }

    [Test]
    public void NoMetadata_AreRead()
    {
        Assert.That(ImageSharpFormats.Jpeg, Is.TypeOf<JpegDecoder>().With.Property(nameof(JpegDecoder.IgnoreMetadata)).True);
        Assert.That(ImageSharpFormats.Png, Is.TypeOf<PngDecoder>().With.Property(nameof(PngDecoder.IgnoreMetadata)).True);
        Assert.That(ImageSharpFormats.Tga, Is.TypeOf<TgaDecoder>());
    }

    [Test]
    public void NoProcessor_AndNoOtherCodec_IsCalled()
    {
        // Every type of a library that the assembly names stands in its table of references.
        using var file = new System.Reflection.PortableExecutable.PEReader(File.OpenRead(typeof(ImageDecoder).Assembly.Location));
        var metadata = System.Reflection.Metadata.PEReaderExtensions.GetMetadataReader(file);
        var named = metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}")
            .Where(name => name.StartsWith("SixLabors.", StringComparison.Ordinal)).ToList();
        Assert.That(named, Is.Not.Empty);
        string[] others = [".Tiff", ".Gif", ".Webp", ".Bmp", ".Pbm", ".Icc", ".Processing"];
        Assert.That(named.Where(name => others.Any(other => name.Contains(other, StringComparison.Ordinal)))
            .Where(name => !name.Contains(".Quantization.", StringComparison.Ordinal)
                && !name.EndsWith(".Dithering.IDither", StringComparison.Ordinal)), Is.Empty, "palettes are chosen by quantisers");
    }
}
