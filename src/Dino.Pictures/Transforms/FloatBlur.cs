using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>
/// <see cref="GaussianBlur"/> for floats: the same three extended boxes along rows and three along columns, edges replicated, not rounded.
/// One per worker: it owns its scratch.
/// </summary>
internal sealed class FloatBlur
{
    private const int Passes = 3;
    private const float Unit = 1f / (1 << 24);

    private readonly FloatImage other = new();
    private float[] line = [], nextLine = [];

    /// <summary>Blurs every channel in place; <paramref name="sigma"/> in pixels.</summary>
    public void Apply(FloatImage image, double sigma)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sigma);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sigma, GaussianBlur.MaxSigma);
        if (sigma == 0 || image.Width == 0 || image.Height == 0)
            return;
        var box = GaussianBlur.Box.FromSigma(sigma);
        float full = box.Weights.Full * Unit, edge = box.Weights.Edge * Unit;
        for (int c = 0; c < image.Channels; c++)
            BlurRows(image.Plane(c), image.Width, box.Whole, full, edge);
        other.Reshape(image.Channels, image.Width, image.Height);
        for (int c = 0; c < image.Channels; c++)
        {
            Span<float> plane = image.Plane(c), next = other.Plane(c);
            BlurColumns(plane, next, image.Width, image.Height, box.Whole, full, edge);
            BlurColumns(next, plane, image.Width, image.Height, box.Whole, full, edge);
            BlurColumns(plane, next, image.Width, image.Height, box.Whole, full, edge);
            next.CopyTo(plane);
        }
    }

    private void BlurRows(Span<float> plane, int width, int whole, float full, float edge)
    {
        int margin = whole + 1, needed = width + 2 * margin + Vector256<float>.Count;
        if (line.Length < needed)
            (line, nextLine) = (new float[needed], new float[needed]);
        for (int start = 0; start < plane.Length; start += width)
        {
            var row = plane.Slice(start, width);
            row.CopyTo(line.AsSpan(margin));
            for (int pass = 0; pass < Passes; pass++)
            {
                line.AsSpan(0, margin).Fill(line[margin]);
                line.AsSpan(margin + width, margin).Fill(line[margin + width - 1]);
                ref float centre = ref line[margin];
                ref float result = ref nextLine[margin];
                for (int x = 0; x < width; x += Vector256<float>.Count)
                {
                    ref float at = ref Unsafe.Add(ref centre, x);
                    var sum = Vector256.LoadUnsafe(ref at);
                    for (int k = 1; k <= whole; k++)
                        sum += Vector256.LoadUnsafe(ref Unsafe.Subtract(ref at, k)) + Vector256.LoadUnsafe(ref Unsafe.Add(ref at, k));
                    var outer = Vector256.LoadUnsafe(ref Unsafe.Subtract(ref at, margin))
                        + Vector256.LoadUnsafe(ref Unsafe.Add(ref at, margin));
                    (sum * full + outer * edge).StoreUnsafe(ref result, (nuint)x);
                }
                (line, nextLine) = (nextLine, line);
            }
            line.AsSpan(margin, width).CopyTo(row);
        }
    }

    private static void BlurColumns(
        ReadOnlySpan<float> source, Span<float> destination, int width, int height, int whole, float full, float edge)
    {
        ref float from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(destination);
        for (int y = 0; y < height; y++)
        {
            ref float output = ref Unsafe.Add(ref to, y * width);
            int above = Math.Max(0, y - whole - 1) * width, below = Math.Min(height - 1, y + whole + 1) * width;
            int x = 0;
            for (; x <= width - Vector256<float>.Count; x += Vector256<float>.Count)
            {
                ref float column = ref Unsafe.Add(ref from, x);
                var sum = Vector256<float>.Zero;
                for (int k = -whole; k <= whole; k++)
                    sum += Vector256.LoadUnsafe(ref column, (nuint)(Math.Clamp(y + k, 0, height - 1) * width));
                var outer = Vector256.LoadUnsafe(ref column, (nuint)above) + Vector256.LoadUnsafe(ref column, (nuint)below);
                (sum * full + outer * edge).StoreUnsafe(ref output, (nuint)x);
            }
            for (; x < width; x++)
            {
                float sum = 0;
                for (int k = -whole; k <= whole; k++)
                    sum += source[Math.Clamp(y + k, 0, height - 1) * width + x];
                Unsafe.Add(ref output, x) = sum * full + (source[above + x] + source[below + x]) * edge;
            }
        }
    }
}
