using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Transforms;
using SkiaSharp;

namespace Dino.Pictures.Decoding;

/// <summary>
/// Files to RGB pictures: JPEG, PNG, WebP, BMP and the first frame of a GIF; grey, palette, alpha and 16-bit come out as Pillow's
/// <c>convert("RGB")</c> (alpha is dropped, colours behind it stay as stored), turned upright as the EXIF orientation says.
/// One per worker: it owns its scratch. The only file that names the codec library.
/// </summary>
public sealed class ImageDecoder : IDisposable
{
    /// <summary>The largest picture that is decoded unless another limit is given: 256 MiB as RGB, where Pillow warns of a bomb.</summary>
    public const int DefaultMaxPixels = (1 << 28) / 3;

    private const int ProbeBytes = 64;
    private const string Truncated = "the file is truncated", Damaged = "its data are damaged";

    private static readonly Lock heavy = new();

    private readonly int maxPixels;
    private readonly RgbImage turned = new(), probe = new();
    private readonly int channels = 3;
    private readonly NativeBuffer file = new(), rgba = new();

    /// <summary>Makes a decoder that refuses more than <paramref name="maxPixels"/> pixels before any memory is taken for them.</summary>
    public ImageDecoder(int maxPixels = DefaultMaxPixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxPixels);
        this.maxPixels = Math.Min(maxPixels, RgbImage.MaxPixels / 2);
    }

    /// <summary>
    /// What the pictures are for: 1 gives them in grey, as Pillow's <c>convert("L")</c>, in all three channels; 3, the default, in colours;
    /// 4 also
    /// with <see cref="RgbImage.Opacity"/>, as Pillow's <c>convert("RGBA")</c>.
    /// </summary>
    /// <exception cref="ArgumentException">Pictures have another number of channels.</exception>
    public int Channels
    {
        get => channels;
        init => channels = Normalize.For(value).Channels;
    }

    /// <summary>Decodes a file into <paramref name="image"/>, whose memory is used again when it suffices.</summary>
    /// <exception cref="ImageDecodeException">The file gives no picture; the message says why.</exception>
    public void Decode(string path, RgbImage image)
    {
        using var input = PictureInput.OfFile(path);
        Decode(input, image);
    }

    /// <summary>Decodes a picture into <paramref name="image"/>, whose memory is used again when it suffices.</summary>
    /// <exception cref="ImageDecodeException">It gives no picture; the message says why.</exception>
    public void Decode(PictureInput input, RgbImage image)
    {
        var header = PictureLimits.Check(input, maxPixels, out int length);
        long bytes = length + (header?.Bytes ?? 0);
        if (!PictureLimits.IsHeavy(bytes))
        {
            Decode(input, header, length, image);
        }
        else
        {
            // Pictures that take much memory wait for each other, and leave none behind.
            lock (heavy)
                Decode(input, header, length, image);
        }
        if (bytes > PictureLimits.LargeBytes)
        {
            Dispose();
            turned.Release();
            probe.Release();
        }
    }

    private void Decode(PictureInput input, PictureHeader? header, int length, RgbImage image)
    {
        file.Reserve((nuint)length + ProbeBytes);
        Span<byte> bytes = file.Span[..length];
        PictureLimits.Fill(input, bytes);
        bool isJpeg = PictureSignature.IsJpeg(bytes);
        var end = isJpeg ? JpegStructure.Walk(bytes, out int scans) : Ended(out scans);
        if (header is { } known && PictureLimits.TooManyScans(known, scans, maxPixels) is { } refusal)
            throw new ImageDecodeException(input.Name, refusal);
        if (PictureSignature.IsPng(bytes) && !PngStructure.IsComplete(bytes))
            throw new ImageDecodeException(input.Name, Truncated);
        string? fault = DecodeBytes(length, image);
        if (fault is not null && PictureSignature.IsPng(bytes) && PngStructure.RepairChecksums(bytes))
            fault = DecodeBytes(length, image);
        if (fault is null && isJpeg)
            fault = JpegFault(end, length, image);
        if (fault is not null)
            throw new ImageDecodeException(input.Name, fault);
        if (channels == 1)
            Grayscale.Apply(image);
    }

    private static JpegEnd Ended(out int scans)
    {
        scans = 1;
        return JpegEnd.Reached;
    }

    private string? JpegFault(JpegEnd end, int length, RgbImage image)
    {
        switch (end)
        {
            case JpegEnd.Reached:
                return null;
            case JpegEnd.Damaged:
                return Damaged;
            case JpegEnd.MissingProgressive:
                return Truncated;
            case JpegEnd.MissingSequential:
            default:
                // Some writers leave out the end marker. If nothing else is missing, bytes put at the end change no pixel.
                file.Span.Slice(length, ProbeBytes).Fill(0x55);
                return DecodeBytes(length + ProbeBytes, probe) is null && probe.Pixels.SequenceEqual(image.Pixels) ? null : Truncated;
        }
    }

    /// <summary>Decodes what <see cref="file"/> holds; what is wrong with it, or null.</summary>
    private string? DecodeBytes(int length, RgbImage image)
    {
        using var data = SKData.Create(file.Address, length);
        using SKCodec? codec = SKCodec.Create(data);
        if (codec is null)
            return "its header is damaged";
        SKImageInfo header = codec.Info;
        if (header.Width < 1 || header.Height < 1)
            return $"its header states an empty picture of {header.Width} × {header.Height} pixels";
        if ((long)header.Width * header.Height > maxPixels)
            return $"its header states {header.Width} × {header.Height} pixels, more than the {maxPixels} that are allowed (`MaxPixels`)";

        // No colour space: values stay as stored, as in Pillow. Unpremultiplied: dropping alpha then leaves the stored colour.
        var info = new SKImageInfo(header.Width, header.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        rgba.Reserve((nuint)info.RowBytes * (nuint)info.Height + RgbImage.Padding);
        SKCodecResult result = codec.GetPixels(info, rgba.Address);
        if (result != SKCodecResult.Success)
            return Reason(result);
        DropAlpha(header.Width, header.Height, image);
        TakeOpacity(image, header.AlphaType == SKAlphaType.Opaque);
        if (codec.EncodedOrigin != SKEncodedOrigin.TopLeft)
        {
            TurnUpright(image, codec.EncodedOrigin);
            if (image.Opacity is { } opacity)
                TurnUpright(opacity, codec.EncodedOrigin);
        }
        return null;
    }

    /// <summary>Gives the scratch memory back.</summary>
    public void Dispose()
    {
        file.Dispose();
        rgba.Dispose();
    }

    private static string Reason(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => Truncated,
        SKCodecResult.ErrorInInput or SKCodecResult.InvalidInput => Damaged,
        SKCodecResult.Unimplemented or SKCodecResult.InvalidConversion => "its kind of picture is not supported",
        SKCodecResult.InternalError => "it could not be decoded (not enough memory, or damaged data)",
        _ => $"it could not be decoded ({result})",
    };

    private void DropAlpha(int width, int height, RgbImage image)
    {
        image.Reshape(width, height);
        ref byte to = ref MemoryMarshal.GetReference(image.Padded);
        ref byte from = ref rgba.Reference;
        var order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0x80, 0x80, 0x80, 0x80);
        // Four pixels a step; the last steps run over into the padding of both sides.
        nuint pixels = (nuint)width * (nuint)height;
        for (nuint i = 0; i < pixels; i += 4)
            Vector128.Shuffle(Vector128.LoadUnsafe(ref from, i * 4), order).StoreUnsafe(ref to, i * 3);
    }

    /// <summary>The opacity of what <see cref="rgba"/> holds, if it is wanted and there is one.</summary>
    private void TakeOpacity(RgbImage image, bool opaque)
    {
        image.Opacity = channels < 4 || opaque ? null : image.Opacity ?? new RgbImage();
        if (image.Opacity is not { } opacity)
            return;
        opacity.Reshape(image.Width, image.Height);
        Span<byte> values = opacity.Pixels;
        ref byte alpha = ref Unsafe.Add(ref rgba.Reference, 3);
        for (int i = 0; i < values.Length; i += 3)
            values.Slice(i, 3).Fill(Unsafe.Add(ref alpha, (nint)(i / 3) * 4));
    }

    /// <summary>The eight EXIF orientations: where the stored row 0 and column 0 belong.</summary>
    private void TurnUpright(RgbImage image, SKEncodedOrigin origin)
    {
        bool transposed = origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop
            or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        // In the upright picture: does its x run against the stored direction, does its y?
        bool againstX = origin is SKEncodedOrigin.TopRight or SKEncodedOrigin.BottomRight
            or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom;
        bool againstY = origin is SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft
            or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        (int width, int height) = transposed ? (image.Height, image.Width) : (image.Width, image.Height);
        turned.Reshape(width, height);
        ReadOnlySpan<byte> stored = image.Pixels;
        int stepX = 3 * (transposed ? image.Width : 1), stepY = 3 * (transposed ? 1 : image.Width);
        for (int y = 0; y < height; y++)
        {
            Span<byte> row = turned.Row(y);
            int line = (againstY ? height - 1 - y : y) * stepY;
            for (int x = 0; x < width; x++)
                stored.Slice(line + (againstX ? width - 1 - x : x) * stepX, 3).CopyTo(row[(3 * x)..]);
        }
        image.Swap(turned);
    }

    /// <summary>Memory that the codec may keep an address of.</summary>
    private sealed unsafe class NativeBuffer : IDisposable
    {
        private byte* memory;
        private nuint size;

        public nint Address => (nint)memory;

        public Span<byte> Span => new(memory, (int)Math.Min(size, int.MaxValue));

        public ref byte Reference => ref Unsafe.AsRef<byte>(memory);

        public void Reserve(nuint bytes)
        {
            if (bytes <= size)
                return;
            Dispose();
            memory = (byte*)NativeMemory.Alloc(bytes);
            size = bytes;
        }

        public void Dispose()
        {
            NativeMemory.Free(memory);
            memory = null;
            size = 0;
        }
    }
}
