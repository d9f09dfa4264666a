using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Loading;

/// <summary>In which depth the pictures of a folder are, by a sample that is spread over it.</summary>
internal sealed record PictureSurvey
{
    // A look at the first bytes is quick; where they do not tell the depth, and for the highest value, a picture is decoded.
    private const int MostHeaders = 200, MostDecoded = 32;

    /// <summary>Pictures of the folder.</summary>
    public int Pictures { get; private init; }

    /// <summary>Pictures of the sample whose depth is known.</summary>
    public int Known { get; private init; }

    /// <summary>Those of whole numbers of more than 8 bits.</summary>
    public int Deep { get; private init; }

    /// <summary>The most bits of those.</summary>
    public int Bits { get; private init; }

    /// <summary>Those of floating-point numbers.</summary>
    public int Floats { get; private init; }

    /// <summary>The smallest and the largest value of those of <see cref="Deep"/> and <see cref="Floats"/> that were decoded.</summary>
    public ValueRange Values { get; private init; }

    /// <summary>Those of at most 8 bits.</summary>
    public int Plain => Known - Deep - Floats;

    /// <summary>Looks at a folder.</summary>
    /// <param name="folder">The pictures.</param>
    /// <param name="maxPixels">Pictures with more pixels are passed over.</param>
    /// <param name="cancel">Stops between two pictures.</param>
    public static PictureSurvey Of(
        ImageFolder folder, int maxPixels = ImageDecoder.DefaultMaxPixels, CancellationToken cancel = default)
    {
        using var decoder = new ImageDecoder(maxPixels) { Channels = 0 };
        var image = new FloatImage();
        int known = 0, deep = 0, floats = 0, bits = 0, decoded = 0;
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (int sample in PictureSample.Of(folder.Count, MostHeaders))
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                using var input = folder.Open(sample);
                int? stated = PictureSample.BitsOf(input);
                if (stated is <= 8)
                {
                    known++;
                    continue;
                }
                if (decoded == MostDecoded)
                {
                    if (stated is { } more)
                        (known, deep, bits) = (known + 1, deep + 1, Math.Max(bits, more));
                    continue;
                }
                decoded++;
                decoder.Decode(input, image);
            }
            catch (ImageDecodeException)
            {
                continue; // whoever loads it says so
            }
            known++;
            if (image.Depth is { IsFloat: false, Bits: <= 8 })
                continue;
            if (image.Depth.IsFloat)
                floats++;
            else
                (deep, bits) = (deep + 1, Math.Max(bits, image.Depth.Bits));
            for (int c = 0; c < PictureSample.Bands(image); c++)
            {
                foreach (float value in image.Plane(c))
                {
                    if (float.IsFinite(value))
                        (low, high) = (Math.Min(low, value), Math.Max(high, value));
                }
            }
        }
        return new PictureSurvey
        {
            Pictures = folder.Count,
            Known = known,
            Deep = deep,
            Bits = bits,
            Floats = floats,
            Values = low <= high ? new(low, high) : new(0, 0),
        };
    }
}
