using System.Runtime.InteropServices;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Advanced;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing.Processors.Quantization;

namespace Dino.Pictures.Writing;

/// <summary>Palette PNG files (ISO 15948), which hold ids of objects as they are.</summary>
public static class IndexedPng
{
    // No filter: what suits palettes (section 12.8). Each colour is exactly one of the palette's.
    private static readonly PngEncoder encoder = new()
    {
        ColorType = PngColorType.Palette,
        BitDepth = PngBitDepth.Bit8,
        FilterMethod = PngFilterMethod.None,
        ChunkFilter = PngChunkFilter.ExcludeAll,
        Quantizer = new PaletteQuantizer(
            MemoryMarshal.Cast<byte, Rgb24>(VocColours.Palette).ToArray().Select(colour => new Color(colour)).ToArray(),
            new QuantizerOptions { Dither = null }),
    };

    /// <summary>Writes height·width ids in the colours of PASCAL VOC and DAVIS.</summary>
    public static void Write(string path, ReadOnlySpan<byte> ids, int width, int height)
    {
        if (width < 1 || height < 1 || ids.Length != width * height)
            throw new ArgumentException($"{ids.Length} ids are not a picture of {width} × {height} pixels.");
        var colours = MemoryMarshal.Cast<byte, Rgb24>(VocColours.Palette);
        using var picture = new Image<Rgb24>(ImageSharpFormats.Configuration, width, height);
        for (int y = 0; y < height; y++)
        {
            var row = picture.DangerousGetPixelRowMemory(y).Span;
            for (int x = 0; x < width; x++)
                row[x] = colours[ids[y * width + x]];
        }
        AtomicFile.Write(path, stream => picture.Save(stream, encoder));
    }
}
