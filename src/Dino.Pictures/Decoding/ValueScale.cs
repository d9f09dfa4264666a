using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Dino.Pictures.Decoding;

/// <summary>Stored values to 0 … 1.</summary>
internal static class ValueScale
{
    /// <summary>The depth of what was scaled.</summary>
    public static PixelDepth Scaled { get; } = new(32, IsFloat: true);

    /// <summary>(v − low) / (high − low), clamped to 0 … 1, in place; what is no number becomes 0.</summary>
    public static void Apply(FloatImage image, ValueRange range)
    {
        float low = (float)range.Low, span = (float)(range.High - range.Low);
        var values = image.Values;
        ref float first = ref MemoryMarshal.GetReference(values);
        int i = 0;
        for (; i <= values.Length - 8; i += 8)
        {
            var value = (Vector256.LoadUnsafe(ref first, (nuint)i) - Vector256.Create(low)) / Vector256.Create(span);
            value = Vector256.ConditionalSelect(Vector256.GreaterThan(value, Vector256<float>.Zero), value, Vector256<float>.Zero);
            Vector256.ConditionalSelect(Vector256.LessThan(value, Vector256<float>.One), value, Vector256<float>.One)
                .StoreUnsafe(ref first, (nuint)i);
        }
        for (; i < values.Length; i++)
        {
            float value = (values[i] - low) / span;
            values[i] = value > 0 ? value < 1 ? value : 1 : 0;
        }
        image.Depth = Scaled;
    }
}
