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

    /// <summary>Mean and deviation for pictures of so many channels.</summary>
    /// <exception cref="ArgumentException">
    /// <see cref="Mean"/> or <see cref="Std"/> has another number of values or one that cannot be, or <see cref="Range"/> is empty; or both
    /// are missing and pictures usually have no such number of channels.
    /// </exception>
    public Normalize NormalizeFor(int channels)
    {
        if (Range is { } range && !(double.IsFinite(range.Low) && double.IsFinite(range.High) && (float)range.Low < (float)range.High))
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"`Range` goes from the smaller value to the larger one, not from {range.Low} to {range.High}."));
        }
        if (Mean is null && Std is null)
            return Normalize.For(channels);
        if (Mean is not { } mean || Std is not { } std)
            throw new ArgumentException("`Mean` and `Std` are given together, or neither.");
        if (mean.Count != channels || std.Count != channels)
            throw new ArgumentException($"`Mean` and `Std` need a value for each of the {channels} channels, not {mean.Count} and "
                + $"{std.Count}.");
        if (!mean.All(double.IsFinite) || !std.All(value => double.IsFinite(value) && value > 0))
            throw new ArgumentException("`Mean` takes finite numbers, and `Std` finite ones above 0.");
        return new Normalize([.. mean], [.. std]);
    }

    /// <inheritdoc/>
    public bool Equals(Preprocessing? other) => other is not null && (Decode, Range) == (other.Decode, other.Range)
        && Same(Mean, other.Mean) && Same(Std, other.Std);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Decode, Range, Mean?.Count, Mean?[0], Std?[0]);

    private static bool Same(IReadOnlyList<double>? a, IReadOnlyList<double>? b) =>
        a is null || b is null ? a is null && b is null : a.SequenceEqual(b);
}
