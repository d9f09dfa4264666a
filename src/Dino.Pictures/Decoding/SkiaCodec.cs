using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Dino.Pictures.Decoding;

/// <summary>Pictures by SkiaSharp: JPEG, PNG, WebP, BMP and the first frame of a GIF, to Pillow's pixels.</summary>
internal static class SkiaCodec
{
    /// <summary>Decodes a picture, upright; what is wrong with it, or null.</summary>
    /// <param name="file">Where its bytes are.</param>
    /// <param name="length">How many.</param>
    /// <param name="stated">What they say of it; null where only the codec can tell.</param>
    /// <param name="limits">What it may take.</param>
    /// <param name="orientation">How it lies.</param>
    /// <param name="opacity">Whether its opacity is wanted, if it has one.</param>
    /// <param name="image">Receives it.</param>
    /// <param name="rows">Scratch.</param>
    public static DecodeFault? Decode(nint file, int length, PictureHeader? stated, DecodeLimits limits, Orientation orientation,
        bool opacity, RgbImage image, NativeBuffer rows)
    {
        using var data = SKData.Create(file, length);
        using SKCodec? codec = SKCodec.Create(data);
        if (codec is null)
            return DecodeFault.Final("its header is damaged");
        SKImageInfo header = codec.Info;
        bool hasOpacity = opacity && header.AlphaType != SKAlphaType.Opaque;
        // Of a JPEG in several scans, rows are to be had only if none is missing.
        bool byRows = codec.EncodedFormat == SKEncodedImageFormat.Jpeg && stated is { Format: PictureFormat.Jpeg, DecoderBytes: 0 };
        bool inPlace = !byRows && orientation == Orientation.Upright;
        if (limits.Refusal(header.Width, header.Height, byRows ? 3 : inPlace ? 4 : 7) is { } refusal)
            return DecodeFault.Final(refusal);

        // No colour space: values stay as stored, as in Pillow. Unpremultiplied: dropping opacity then leaves the stored colour.
        var info = new SKImageInfo(header.Width, header.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var target = new UprightRows(image, info.Width, info.Height, orientation);
        if (byRows)
            return Failure(ByRows(codec, info, target, rows));
        if (inPlace)
            return Failure(InPlace(codec, info, hasOpacity, image));
        rows.Reserve((nuint)info.RowBytes * (nuint)info.Height + UprightRows.Padding);
        if (Failure(codec.GetPixels(info, rows.Address)) is { } fault)
            return fault;
        target.Begin(hasOpacity);
        target.Put(ref rows.Reference, 0, info.Height, 4);
        return null;
    }

    /// <summary>No more than the picture and a few rows.</summary>
    private static SKCodecResult ByRows(SKCodec codec, SKImageInfo info, UprightRows target, NativeBuffer rows)
    {
        var result = codec.StartScanlineDecode(info);
        if (result != SKCodecResult.Success)
            return result;
        target.Begin(opacity: false);
        int atOnce = UprightRows.RowsAtOnce(info.Width, info.Height);
        rows.Reserve((nuint)info.RowBytes * (nuint)atOnce + UprightRows.Padding);
        for (int y = 0; y < info.Height; y += atOnce)
        {
            int count = Math.Min(atOnce, info.Height - y);
            if (codec.GetScanlines(rows.Address, count, info.RowBytes) < count)
                return SKCodecResult.IncompleteInput;
            target.Put(ref rows.Reference, y, count, 4);
        }
        return SKCodecResult.Success;
    }

    /// <summary>No more than the picture in four bytes a pixel, of which three stay.</summary>
    private static unsafe SKCodecResult InPlace(SKCodec codec, SKImageInfo info, bool hasOpacity, RgbImage image)
    {
        image.Reserve(info.Width, info.Height, 4);
        ref byte first = ref MemoryMarshal.GetReference(image.Memory);
        SKCodecResult result;
        fixed (byte* pixels = &first)
            result = codec.GetPixels(info, (nint)pixels);
        if (result != SKCodecResult.Success)
            return result;
        image.Opacity = hasOpacity ? image.Opacity ?? new RgbImage() : null;
        if (image.Opacity is { } opacity)
        {
            opacity.Reshape(info.Width, info.Height);
            UprightRows.Spread(ref Unsafe.Add(ref first, 3), opacity.Pixels);
        }
        UprightRows.DropOpacity(ref first, ref first, info.Width * info.Height);
        return result;
    }

    private static DecodeFault? Failure(SKCodecResult result) => result switch
    {
        SKCodecResult.Success => null,
        SKCodecResult.IncompleteInput => DecodeFault.Final(DecodeFault.Truncated),
        SKCodecResult.ErrorInInput or SKCodecResult.InvalidInput => DecodeFault.Final(DecodeFault.Damaged),
        SKCodecResult.Unimplemented or SKCodecResult.InvalidConversion =>
            DecodeFault.UnknownKind("its kind of picture is not supported"),
        SKCodecResult.InternalError => DecodeFault.Final("it could not be decoded (not enough memory, or damaged data)"),
        _ => DecodeFault.Final($"it could not be decoded ({result})"),
    };
}
