using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tga;
using SixLabors.ImageSharp.Memory;

namespace Dino.Pictures.Decoding;

/// <summary>
/// ImageSharp with the formats that it is used for and no other: what its advisories name is in the others. No metadata are read, since
/// a megabyte of them can take gigabytes.
/// </summary>
internal static class ImageSharpFormats
{
    /// <summary>More than any picture takes that is given to it: a last barrier, behind the limits that are checked before.</summary>
    private const int MostMegabytes = 4096;

    /// <summary>JPEG, PNG and TGA; one thread a picture, since pictures are read by many.</summary>
    public static Configuration Configuration { get; } =
        new(new JpegConfigurationModule(), new PngConfigurationModule(), new TgaConfigurationModule())
        {
            MaxDegreeOfParallelism = 1,
            MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions { AllocationLimitMegabytes = MostMegabytes }),
        };

    public static JpegDecoder Jpeg { get; } = new() { IgnoreMetadata = true };

    public static PngDecoder Png { get; } = new() { IgnoreMetadata = true };

    public static TgaDecoder Tga { get; } = new();
}
