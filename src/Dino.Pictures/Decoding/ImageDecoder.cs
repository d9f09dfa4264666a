using Dino.Pictures.Transforms;

namespace Dino.Pictures.Decoding;

/// <summary>
/// Files to pictures: JPEG, PNG, WebP, BMP, TIFF, TGA, PNM and the first frame of a GIF, turned upright as the EXIF orientation says. As
/// <see cref="RgbImage"/>, grey, palette, opacity and 16 bits come out as Pillow's <c>convert("RGB")</c> (opacity is dropped, colours
/// behind it stay as stored); as <see cref="FloatImage"/>, the numbers are those of the file.
/// </summary>
/// <remarks>Safe to use from many threads at once: each decoding has scratch of its own, which the next one uses again.</remarks>
public sealed class ImageDecoder : IDisposable
{
    /// <summary>
    /// The largest picture that is decoded unless another limit is given, where Pillow refuses, too: phones make pictures of 108 million
    /// pixels. Decoding takes no more than 600 MiB beside the file all the same; what would, a progressive JPEG of more than 60 million
    /// pixels for one, is refused.
    /// </summary>
    public const int DefaultMaxPixels = (1 << 28) / 3 * 2;

    private static readonly Lock heavy = new();

    private readonly DecodeLimits limits;
    private readonly int channels = 3;
    private readonly Lock gate = new();
    private readonly Stack<DecodeScratch> idle = new();
    private bool disposed;

    /// <summary>Makes a decoder that refuses more than <paramref name="maxPixels"/> pixels before any memory is taken for them.</summary>
    public ImageDecoder(int maxPixels = DefaultMaxPixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxPixels);
        limits = new DecodeLimits(Math.Min(maxPixels, RgbImage.MaxPixels / 2));
    }

    /// <summary>
    /// What the pictures are for: 1 gives them in grey, as Pillow's <c>convert("L")</c>, in all three channels of an
    /// <see cref="RgbImage"/>; 3, the default, in colours; 4 also with opacity, as Pillow's <c>convert("RGBA")</c>. A
    /// <see cref="FloatImage"/> can have any number that the file has, and 0 gives it as stored.
    /// </summary>
    /// <exception cref="ArgumentException">Pictures have another number of channels.</exception>
    public int Channels
    {
        get => channels;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            channels = value;
        }
    }

    /// <summary>Which library is asked first; whichever refuses a file that may be whole, the other is asked, too.</summary>
    public DecodeMode Mode { get; init; }

    /// <summary>Decodes a file into <paramref name="image"/>, whose memory is used again when it suffices.</summary>
    /// <exception cref="ImageDecodeException">The file gives no picture; the message says why.</exception>
    public void Decode(string path, RgbImage image)
    {
        using var input = PictureInput.OfFile(path);
        Decode(input, image);
    }

    /// <summary>Decodes what a stream holds from where it stands on.</summary>
    /// <inheritdoc cref="Decode(string, RgbImage)"/>
    public void Decode(Stream stream, RgbImage image)
    {
        using var input = PictureInput.OfStream(stream);
        Decode(input, image);
    }

    /// <summary>Decodes a file that is in memory.</summary>
    /// <inheritdoc cref="Decode(string, RgbImage)"/>
    public void Decode(ReadOnlyMemory<byte> bytes, RgbImage image)
    {
        using var input = PictureInput.OfBytes(bytes);
        Decode(input, image);
    }

    /// <summary>Decodes a picture into <paramref name="image"/>, whose memory is used again when it suffices.</summary>
    /// <exception cref="ImageDecodeException">It gives no picture; the message says why.</exception>
    public void Decode(PictureInput input, RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(image);
        _ = Normalize.For(channels); // which says how many channels there are
        Run(input, image, null);
        if (channels == 1)
            Grayscale.Apply(image);
    }

    /// <summary>Decodes a file into the numbers that it stores.</summary>
    /// <inheritdoc cref="Decode(PictureInput, FloatImage)"/>
    public void Decode(string path, FloatImage image)
    {
        using var input = PictureInput.OfFile(path);
        Decode(input, image);
    }

    /// <summary>Decodes what a stream holds from where it stands on into the numbers that it stores.</summary>
    /// <inheritdoc cref="Decode(PictureInput, FloatImage)"/>
    public void Decode(Stream stream, FloatImage image)
    {
        using var input = PictureInput.OfStream(stream);
        Decode(input, image);
    }

    /// <summary>Decodes a file that is in memory into the numbers that it stores.</summary>
    /// <inheritdoc cref="Decode(PictureInput, FloatImage)"/>
    public void Decode(ReadOnlyMemory<byte> bytes, FloatImage image)
    {
        using var input = PictureInput.OfBytes(bytes);
        Decode(input, image);
    }

    /// <summary>
    /// Decodes a picture into the numbers that it stores: 0 … 255 of 8 bits and fewer, 0 … 65535 of 16, numbers with a point as they are.
    /// Its channels become <see cref="Channels"/>: grey is repeated, RGB becomes grey by ITU-R 601, opacity is dropped or added.
    /// </summary>
    /// <exception cref="ImageDecodeException">It gives no picture of so many channels; the message says why.</exception>
    public void Decode(PictureInput input, FloatImage image)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(image);
        Run(input, null, image);
        if (ChannelFit.Apply(image, channels) is { } fault)
            throw new ImageDecodeException(input.Name, fault);
    }

    /// <summary>Gives the scratch memory back.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            while (idle.TryPop(out var scratch))
                scratch.Dispose();
        }
    }

    private void Run(PictureInput input, RgbImage? image, FloatImage? numbers)
    {
        if (TiffPicture.Matches(input))
        {
            RunTiff(input, image, numbers);
            return;
        }
        var header = PictureLimits.Check(input, limits, out int length);
        var scratch = Take();
        try
        {
            if (!PictureLimits.IsHeavy(length + (header?.Bytes ?? 0)))
            {
                Decode(input, length, scratch, image, numbers);
            }
            else
            {
                // Pictures that take much memory wait for each other.
                lock (heavy)
                    Decode(input, length, scratch, image, numbers);
            }
        }
        catch (OutOfMemoryException e)
        {
            string size = header is { } known ? $"its {known.Width} × {known.Height} pixels" : "it";
            throw new ImageDecodeException(input.Name, $"there is not enough memory to decode {size}", e);
        }
        catch (Exception e) when (e is not ImageDecodeException)
        {
            // Whatever a library makes of damaged bytes: one file must not end a run.
            throw new ImageDecodeException(input.Name, DecodeFault.Of(e).Reason, e);
        }
        finally
        {
            Return(scratch);
        }
    }

    /// <summary>A TIFF is read by its parts, which may be anywhere in a file of any length.</summary>
    private void RunTiff(PictureInput input, RgbImage? image, FloatImage? numbers)
    {
        try
        {
            string? fault = image is not null ? TiffPicture.Decode(input, limits, image, channels)
                : TiffPicture.Decode(input, limits, numbers!);
            if (fault is not null)
                throw new ImageDecodeException(input.Name, fault);
        }
        catch (OutOfMemoryException e)
        {
            throw new ImageDecodeException(input.Name, "there is not enough memory to decode it", e);
        }
    }

    private void Decode(PictureInput input, int length, DecodeScratch scratch, RgbImage? image, FloatImage? numbers)
    {
        var picture = new EncodedPicture(input, length, scratch, limits, Mode);
        var fault = image is not null ? picture.Decode(image, opacity: channels == 4) : picture.Decode(numbers!);
        if (fault is { } found)
            throw new ImageDecodeException(input.Name, found.Reason, found.Cause);
    }

    private DecodeScratch Take()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return idle.TryPop(out var scratch) ? scratch : new DecodeScratch();
        }
    }

    private void Return(DecodeScratch scratch)
    {
        lock (gate)
        {
            // One huge picture does not keep its memory for ever.
            if (!disposed && scratch.Bytes <= PictureLimits.LargeBytes)
            {
                idle.Push(scratch);
                return;
            }
        }
        scratch.Dispose();
    }
}
