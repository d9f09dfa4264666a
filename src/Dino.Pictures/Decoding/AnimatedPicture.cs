using Dino.Pictures.Transforms;
using SkiaSharp;

namespace Dino.Pictures.Decoding;

/// <summary>
/// The frames of an animated GIF or WebP in order.
/// </summary>
public sealed class AnimatedPicture : IDisposable
{
    private readonly string path;
    private readonly SKCodec codec;
    private readonly SKBitmap bitmap;
    private int held = -1; // the frame that the bitmap holds

    /// <summary>Opens a file.</summary>
    /// <exception cref="ImageDecodeException">It is no picture, or too large.</exception>
    public AnimatedPicture(string path, int maxPixels = ImageDecoder.DefaultMaxPixels)
    {
        this.path = path;
        byte[] bytes = PictureLimits.Read(path, maxPixels);
        using var data = SKData.CreateCopy(bytes);
        codec = SKCodec.Create(data) ?? throw new ImageDecodeException(path, "it is not a picture, or its header is damaged");
        var info = codec.Info;
        if (new DecodeLimits(maxPixels).Refusal(info.Width, info.Height, 7) is { } refusal)
        {
            codec.Dispose();
            throw new ImageDecodeException(path, refusal);
        }
        FrameCount = Math.Max(1, codec.FrameCount);
        bitmap = new SKBitmap(new SKImageInfo(info.Width, info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
    }

    /// <summary>What the frames are for, as <see cref="ImageDecoder.Channels"/>.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>The number of frames; 1 for a picture that does not move.</summary>
    public int FrameCount { get; }

    /// <summary>How long a frame is shown, in milliseconds; 0 if the file does not say.</summary>
    public int Duration(int frame) => codec.FrameCount > 0 ? codec.FrameInfo[frame].Duration : 0;

    /// <summary>Decodes a frame, whole: what it does not cover is what earlier frames left. Frames are quickest in order.</summary>
    /// <exception cref="ImageDecodeException">The file is damaged.</exception>
    public void Decode(int frame, RgbImage image)
    {
        // If the bitmap holds the frame before, that need not be made again; the codec makes any other that it needs by itself.
        bool continues = frame > 0 && held == frame - 1 && codec.FrameCount > 0 && codec.FrameInfo[frame].RequiredFrame == frame - 1;
        var options = continues ? new SKCodecOptions(frame, frame - 1) : new SKCodecOptions(frame);
        var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels(), codec.FrameCount > 0 ? options : SKCodecOptions.Default);
        held = result == SKCodecResult.Success ? frame : -1;
        if (held < 0)
            throw new ImageDecodeException(path, $"frame {frame} could not be decoded ({result})");
        image.Reshape(bitmap.Width, bitmap.Height);
        var pixels = bitmap.GetPixelSpan();
        for (int y = 0; y < bitmap.Height; y++)
        {
            var row = image.Row(y);
            for (int x = 0, from = y * bitmap.RowBytes; x < row.Length; x += 3, from += 4)
                (row[x], row[x + 1], row[x + 2]) = (pixels[from], pixels[from + 1], pixels[from + 2]);
        }
        if (Channels == 1)
            Grayscale.Apply(image);
        image.Opacity = Channels == 4 ? image.Opacity ?? new RgbImage() : null;
        if (image.Opacity is not { } opacity)
            return;
        opacity.Reshape(image.Width, image.Height);
        for (int y = 0; y < bitmap.Height; y++)
        {
            var row = opacity.Row(y);
            for (int x = 0; x < row.Length; x++)
                row[x] = pixels[y * bitmap.RowBytes + x / 3 * 4 + 3];
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        bitmap.Dispose();
        codec.Dispose();
    }
}
