using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>
/// Pillow's <c>ImageFilter.GaussianBlur</c>, bit for bit: not a Gaussian but three extended box filters along rows, then three along
/// columns (Gwosdek et al. 2011), edges replicated, each rounded to 8 bits. One per worker: it owns its scratch.
/// </summary>
/// <remarks>
/// DINO's radii (at most 2) give boxes of at most five taps, so that summing the taps for sixteen bytes at once beats
/// the usual running sum, which cannot be vectorised along a row.
/// </remarks>
public sealed class GaussianBlur
{
    /// <summary>The largest sigma: a wider box could overflow its 16-bit sums.</summary>
    public const double MaxSigma = 100;

    private const int Passes = 3;

    private readonly RgbImage other = new();
    private byte[] line = [], nextLine = [];

    /// <summary>Blurs in place; <paramref name="sigma"/> in pixels is Pillow's <c>radius</c>.</summary>
    public void Apply(RgbImage image, double sigma)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sigma);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sigma, MaxSigma);
        if (sigma == 0 || image.Width == 0 || image.Height == 0)
            return;
        var box = Box.FromSigma(sigma);
        BlurRows(image, box);
        other.Reshape(image.Width, image.Height);
        for (int pass = 0; pass < Passes; pass++)
        {
            BlurColumns(image, other, box);
            image.Swap(other);
        }
    }

    private void BlurRows(RgbImage image, Box box)
    {
        int bytes = image.Width * 3, margin = (box.Whole + 1) * 3;
        int needed = bytes + 2 * margin + RgbImage.Padding;
        if (line.Length < needed)
            (line, nextLine) = (new byte[needed], new byte[needed]);
        for (int y = 0; y < image.Height; y++)
        {
            Span<byte> row = image.Row(y);
            row.CopyTo(line.AsSpan(margin));
            for (int pass = 0; pass < Passes; pass++)
            {
                ReplicateEdges(line, margin, bytes);
                ref byte centre = ref line[margin];
                ref byte result = ref nextLine[margin];
                for (int i = 0; i < bytes; i += Vector128<byte>.Count)
                    box.Step(ref Unsafe.Add(ref centre, i), 3).StoreUnsafe(ref result, (nuint)i);
                (line, nextLine) = (nextLine, line);
            }
            line.AsSpan(margin, bytes).CopyTo(row);
        }
    }

    private static void ReplicateEdges(byte[] line, int margin, int bytes)
    {
        for (int i = 0; i < margin; i++)
        {
            line[i] = line[margin + i % 3];
            line[margin + bytes + i] = line[margin + bytes - 3 + i % 3];
        }
    }

    private static void BlurColumns(RgbImage source, RgbImage destination, Box box)
    {
        int stride = source.Width * 3, height = source.Height;
        ref byte from = ref MemoryMarshal.GetReference(source.Padded);
        ref byte to = ref MemoryMarshal.GetReference(destination.Padded);
        for (int y = 0; y < height; y++)
        {
            bool inside = y > box.Whole && y + box.Whole + 1 < height;
            for (int i = 0; i < stride; i += Vector128<byte>.Count)
            {
                Vector128<byte> result = inside
                    ? box.Step(ref Unsafe.Add(ref from, y * stride + i), stride)
                    : box.StepAtEdge(ref Unsafe.Add(ref from, i), stride, y, height);
                // Overruns a row into the next, which is written later, or into the padding of the last.
                result.StoreUnsafe(ref to, (nuint)(y * stride + i));
            }
        }
    }

    /// <summary>A box of radius Whole + a fraction, its weights in 24-bit fixed point.</summary>
    internal readonly struct Box
    {
        private readonly uint full, edge;

        /// <summary>The weight of a neighbour that counts in full, and of one that counts in part, in 24-bit fixed point.</summary>
        public (uint Full, uint Edge) Weights => (full, edge);

        /// <summary>Neighbours on either side that count in full; one more on either side counts in part.</summary>
        public readonly int Whole;

        private Box(float radius)
        {
            Whole = (int)radius;
            // In float32 as Pillow: at sigma 1 the weights are 2/3 and 1/6, ties are common, and a double would change half of the values.
            full = (uint)((1 << 24) / (radius * 2f + 1f));
            edge = ((1u << 24) - (uint)(2 * Whole + 1) * full) / 2;
        }

        /// <summary>The box whose three-fold application has the variance of the Gaussian.</summary>
        public static Box FromSigma(double sigma)
        {
            float variance = (float)sigma * (float)sigma / Passes;
            float length = (float)Math.Sqrt(12.0 * variance + 1.0);
            float whole = (float)Math.Floor((length - 1.0) / 2.0);
            float numerator = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
            return new Box(whole + numerator / (6 * (variance - (whole + 1) * (whole + 1))));
        }

        /// <summary>Sixteen bytes of one pass; all taps, <paramref name="step"/> bytes apart, are readable.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector128<byte> Step(ref byte centre, int step)
        {
            Vector256<ushort> sum = Load(ref centre);
            int reach = step;
            for (int k = 0; k < Whole; k++, reach += step)
                sum += Load(ref Unsafe.Subtract(ref centre, reach)) + Load(ref Unsafe.Add(ref centre, reach));
            return Weigh(sum, Load(ref Unsafe.Subtract(ref centre, reach)) + Load(ref Unsafe.Add(ref centre, reach)));
        }

        /// <summary>The same near the first or last row: rows outside are the outermost row.</summary>
        public Vector128<byte> StepAtEdge(ref byte column, int stride, int y, int height)
        {
            Vector256<ushort> sum = Vector256<ushort>.Zero;
            for (int k = -Whole; k <= Whole; k++)
                sum += Load(ref Unsafe.Add(ref column, Math.Clamp(y + k, 0, height - 1) * stride));
            return Weigh(
                sum,
                Load(ref Unsafe.Add(ref column, Math.Clamp(y - Whole - 1, 0, height - 1) * stride))
                + Load(ref Unsafe.Add(ref column, Math.Clamp(y + Whole + 1, 0, height - 1) * stride)));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<ushort> Load(ref byte source) =>
            Vector256.WidenLower(Vector128.LoadUnsafe(ref source).ToVector256Unsafe());

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Vector128<byte> Weigh(Vector256<ushort> sum, Vector256<ushort> outer)
        {
            Vector256<uint> f = Vector256.Create(full), e = Vector256.Create(edge), half = Vector256.Create(1u << 23);
            Vector256<uint> low = (Vector256.WidenLower(sum) * f + Vector256.WidenLower(outer) * e + half) >> 24;
            Vector256<uint> high = (Vector256.WidenUpper(sum) * f + Vector256.WidenUpper(outer) * e + half) >> 24;
            Vector256<ushort> words = Vector256.Narrow(low, high);
            return Vector128.Narrow(words.GetLower(), words.GetUpper());
        }
    }
}
