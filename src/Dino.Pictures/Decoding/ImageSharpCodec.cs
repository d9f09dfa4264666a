using System.Runtime.InteropServices;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Advanced;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace Dino.Pictures.Decoding;

/// <summary>JPEG, PNG and TGA by ImageSharp. Whatever it throws at a damaged file becomes a fault of the file.</summary>
internal static class ImageSharpCodec
{
    /// <summary>Whether a file is of a kind that it reads as well as the other codec.</summary>
    public static bool Knows(in PictureHeader header) => header.Format switch
    {
        // It has its own way from four inks to three colours, and does not see what is wrong with the tables of later scans.
        PictureFormat.Jpeg => header is { Channels: 1 or 3, Bits: 8, DecoderBytes: 0 },
        PictureFormat.Png or PictureFormat.Tga => true,
        _ => false,
    };

    /// <summary>Decodes a picture, upright; what is wrong with it, or null.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="header">What they say of it.</param>
    /// <param name="limits">What it may take.</param>
    /// <param name="orientation">How it lies.</param>
    /// <param name="opacity">Whether its opacity is wanted, if it has one.</param>
    /// <param name="image">Receives it.</param>
    /// <param name="rows">Scratch.</param>
    public static DecodeFault? Decode(ReadOnlySpan<byte> file, in PictureHeader header, DecodeLimits limits, Orientation orientation,
        bool opacity, RgbImage image, NativeBuffer rows)
    {
        bool hasOpacity = opacity && header.HasOpacity;
        // Of 16 bits the upper eight are taken, as in Pillow; the library would round.
        int bytes = header.Bits == 16 ? 8 : hasOpacity ? 4 : 3;
        if (limits.Refusal(header.Width, header.Height, 3 + bytes + header.DecoderBytes) is { } refusal)
            return DecodeFault.UnknownKind(refusal);
        try
        {
            var target = new UprightRows(image, (int)header.Width, (int)header.Height, orientation);
            switch (bytes)
            {
                case 8:
                    using (var picture = Load<Rgba64>(file, header))
                        PutUpper(picture, target, hasOpacity, rows);
                    break;
                case 4:
                    using (var picture = Load<Rgba32>(file, header))
                        Put(picture, target, hasOpacity, rows);
                    break;
                default:
                    using (var picture = Load<Rgb24>(file, header))
                        Put(picture, target, hasOpacity, rows);
                    break;
            }
            return null;
        }
        catch (Exception e)
        {
            return Fault(e, header);
        }
    }

    /// <summary>Decodes a PNG of 16 bits into its stored numbers, upright; what is wrong with it, or null.</summary>
    public static DecodeFault? DecodeDeep(
        ReadOnlySpan<byte> file, in PictureHeader header, DecodeLimits limits, Orientation orientation, FloatImage image)
    {
        int channels = header.Channels;
        if (limits.Refusal(header.Width, header.Height, channels * (2 + sizeof(float)) + header.DecoderBytes) is { } refusal)
            return DecodeFault.Final(refusal);
        try
        {
            switch (channels)
            {
                case 1:
                    using (var picture = Load<L16>(file, header))
                        Fill(picture, channels, orientation, image);
                    break;
                case 2:
                    using (var picture = Load<La32>(file, header))
                        Fill(picture, channels, orientation, image);
                    break;
                case 3:
                    using (var picture = Load<Rgb48>(file, header))
                        Fill(picture, channels, orientation, image);
                    break;
                default:
                    using (var picture = Load<Rgba64>(file, header))
                        Fill(picture, channels, orientation, image);
                    break;
            }
            image.Depth = new PixelDepth(16);
            return null;
        }
        catch (Exception e)
        {
            return Fault(e, header);
        }
    }

    private static Image<TPixel> Load<TPixel>(ReadOnlySpan<byte> file, in PictureHeader header)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        IImageDecoder decoder = header.Format switch
        {
            PictureFormat.Jpeg => ImageSharpFormats.Jpeg,
            PictureFormat.Png => ImageSharpFormats.Png,
            _ => ImageSharpFormats.Tga,
        };
        var picture = Image.Load<TPixel>(ImageSharpFormats.Configuration, file, decoder);
        if (picture.Width == header.Width && picture.Height == header.Height)
            return picture;
        picture.Dispose();
        throw new InvalidImageContentException("Its size is not the one that its header states.");
    }

    private static void Put<TPixel>(Image<TPixel> picture, UprightRows target, bool opacity, NativeBuffer rows)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        target.Begin(opacity);
        if (typeof(TPixel) == typeof(Rgb24) && target.IsUpright)
        {
            for (int y = 0; y < picture.Height; y++)
                MemoryMarshal.AsBytes(picture.DangerousGetPixelRowMemory(y).Span).CopyTo(target.Row(y));
            return;
        }
        int bytes = Marshal.SizeOf<TPixel>(), atOnce = UprightRows.RowsAtOnce(picture.Width, picture.Height);
        int line = bytes * picture.Width;
        rows.Reserve((nuint)line * (nuint)atOnce + UprightRows.Padding);
        for (int y = 0; y < picture.Height; y += atOnce)
        {
            int count = Math.Min(atOnce, picture.Height - y);
            var strip = rows.Span(line * count);
            for (int row = 0; row < count; row++)
                MemoryMarshal.AsBytes(picture.DangerousGetPixelRowMemory(y + row).Span).CopyTo(strip[(row * line)..]);
            target.Put(ref rows.Reference, y, count, bytes);
        }
    }

    private static void PutUpper(Image<Rgba64> picture, UprightRows target, bool opacity, NativeBuffer rows)
    {
        rows.Reserve((nuint)picture.Width * 4 + UprightRows.Padding);
        target.Begin(opacity);
        var line = rows.Span(picture.Width * 4);
        for (int y = 0; y < picture.Height; y++)
        {
            var numbers = MemoryMarshal.Cast<Rgba64, ushort>(picture.DangerousGetPixelRowMemory(y).Span);
            for (int i = 0; i < line.Length; i++)
                line[i] = (byte)(numbers[i] >> 8);
            target.Put(ref rows.Reference, y, 1, 4);
        }
    }

    private static void Fill<TPixel>(Image<TPixel> picture, int channels, Orientation orientation, FloatImage image)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        var target = new UprightPlanes(image, picture.Width, picture.Height, orientation);
        target.Begin(channels);
        for (int y = 0; y < picture.Height; y++)
        {
            var numbers = MemoryMarshal.Cast<TPixel, ushort>(picture.DangerousGetPixelRowMemory(y).Span);
            for (int channel = 0; channel < channels; channel++)
                target.Put(numbers[channel..], channels, channel, y);
        }
    }

    /// <summary>What a person is told of whatever the library threw.</summary>
    private static DecodeFault Fault(Exception thrown, in PictureHeader header) => thrown switch
    {
        OutOfMemoryException or InvalidMemoryOperationException => DecodeFault.Final(
            $"there is not enough memory to decode its {header.Width} × {header.Height} pixels") with
        { Cause = thrown },
        NotSupportedException or UnknownImageFormatException =>
            DecodeFault.UnknownKind("its kind of picture is not supported") with { Cause = thrown },
        _ => DecodeFault.UnknownKind(DecodeFault.Damaged) with { Cause = thrown },
    };
}
