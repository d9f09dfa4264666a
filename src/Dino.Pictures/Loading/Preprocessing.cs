using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;

namespace Dino.Pictures.Loading;

/// <summary>
/// How the stored numbers of pictures become a network's inputs. A checkpoint keeps it, so that evaluation does the same.
/// </summary>
public sealed record Preprocessing
{
    /// <summary>Which library reads them.</summary>
    public DecodeMode Decode { get; init; }

    /// <summary>The stored values that become 0 and 1; null reduces all pictures to 8 bits, whose range is 0 … 255.</summary>
    public ValueRange? Range { get; init; }

    /// <summary>Subtracted from each channel, which lies in 0 … 1; null for ImageNet's, see <see cref="Normalize.For"/>.</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>Each channel is divided by it; null for ImageNet's.</summary>
    public IReadOnlyList<double>? Std { get; init; }

    /// <summary>Whether pictures of so many channels keep their depth until they are scaled, instead of being reduced to 8 bits.</summary>
    public bool IsDeep(int channels) => Range is not null || !Normalize.Fits(channels);
}
