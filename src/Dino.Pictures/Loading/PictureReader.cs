using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;

namespace Dino.Pictures.Loading;

/// <summary>From files to pictures as a network wants them, in the depth and with the channels that it was trained on.</summary>
public sealed class PictureReader : IDisposable
{
    private readonly ImageDecoder decoder;
    private readonly Preprocessing preprocessing;
    private readonly int channels;
    private readonly bool deep;

    /// <summary>Makes a reader.</summary>
    /// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
    /// <param name="channels">C: 1 (grey), 3 (RGB), 4 (RGB and opacity) or the number of bands that the files have.</param>
    /// <param name="maxPixels">Pictures with more pixels are refused before memory is taken for them.</param>
    /// <exception cref="ArgumentException">The preprocessing makes no sense for so many channels; the message says why.</exception>
    public PictureReader(Preprocessing? preprocessing = null, int channels = 3, int maxPixels = ImageDecoder.DefaultMaxPixels)
        : this(preprocessing ?? new Preprocessing(), channels, maxPixels, coloursFirst: false)
    {
    }

    /// <summary>The same.</summary>
    /// <param name="preprocessing">How stored values become inputs.</param>
    /// <param name="channels">C.</param>
    /// <param name="maxPixels">Pictures with more pixels are refused.</param>
    /// <param name="coloursFirst">
    /// Whether pictures of 8 bits for one channel come in colours: crops of them are changed first and made grey then, so that they are
    /// those of a network for colours.
    /// </param>
    internal PictureReader(Preprocessing preprocessing, int channels, int maxPixels, bool coloursFirst)
    {
        (this.preprocessing, this.channels) = (preprocessing, channels);
        Normalize = preprocessing.NormalizeFor(channels);
        deep = preprocessing.IsDeep(channels);
        decoder = Decoder(preprocessing, coloursFirst && !deep && channels == 1 ? 3 : channels, maxPixels);
    }

    /// <summary>The decoder for a preprocessing.</summary>
    internal static ImageDecoder Decoder(Preprocessing preprocessing, int channels, int maxPixels) =>
        new(maxPixels) { Channels = channels, Mode = preprocessing.Decode };

    /// <summary>C, the channels of the pictures.</summary>
    public int Channels => channels;

    /// <summary>Mean and deviation, which make a network's inputs of what was read.</summary>
    public Normalize Normalize { get; }

    /// <summary>Reads a picture.</summary>
    /// <param name="input">Where its bytes are.</param>
    /// <param name="picture">Receives it; its memory is used again.</param>
    /// <exception cref="ImageDecodeException">There is no picture, or it has other channels; the message says why.</exception>
    public void Read(PictureInput input, DecodedPicture picture)
    {
        picture.IsDeep = deep;
        if (!deep)
        {
            decoder.Decode(input, picture.Rgb);
            return;
        }
        decoder.Decode(input, picture.Floats);
        ValueScale.Apply(picture.Floats, preprocessing.Range ?? picture.Floats.Depth.Full);
    }

    /// <summary>Reads a file.</summary>
    /// <inheritdoc cref="Read(PictureInput, DecodedPicture)"/>
    public void Read(string path, DecodedPicture picture)
    {
        using var input = PictureInput.OfFile(path);
        Read(input, picture);
    }

    /// <summary>Channels of pictures of 8 bits that are given to <see cref="Take"/>.</summary>
    internal int ByteChannels => Normalize.Fits(channels) ? channels : 3;

    /// <summary>Takes a picture of 8 bits that was decoded otherwise.</summary>
    /// <param name="source">The picture.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="picture">Receives it.</param>
    /// <exception cref="ImageDecodeException">It has other channels than are wanted.</exception>
    internal void Take(RgbImage source, string name, DecodedPicture picture)
    {
        picture.IsDeep = deep;
        if (!deep)
        {
            picture.Rgb.CopyFrom(source);
            return;
        }
        if (!Normalize.Fits(channels))
            throw new ImageDecodeException(name, $"it has 3 channels, and {channels} are wanted");
        var image = picture.Floats;
        image.Reshape(channels, source.Width, source.Height);
        image.Depth = PixelDepth.Bytes;
        for (int c = 0; c < channels; c++)
        {
            var plane = image.Plane(c);
            var pixels = c < 3 ? source.Pixels : source.Opacity is { } opacity ? opacity.Pixels : default;
            for (int i = 0; i < plane.Length; i++)
                plane[i] = pixels.IsEmpty ? 255 : pixels[3 * i + c % 3];
        }
        ValueScale.Apply(image, preprocessing.Range ?? image.Depth.Full);
    }

    /// <summary>Gives the scratch memory back.</summary>
    public void Dispose() => decoder.Dispose();
}
