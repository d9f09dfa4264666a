using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>
/// <see cref="Resample"/> for floats of 0 … 1: the same taps, columns first and then rows, each pass clamped as 8 bits clamp it, but not
/// rounded. Each channel is resized by itself, as torchvision does with tensors. One per worker: it owns its scratch.
/// </summary>
internal sealed class FloatResample
{
    private const float Unit = 1f / (1 << ResampleTaps.FractionBits);

    private readonly FloatImage columnsDone = new();
    private readonly ResampleTaps horizontal = new(), vertical = new();
    private float[] padded = [];

    /// <summary>Resizes the box to <paramref name="full"/> pixels and keeps the window of that.</summary>
    public void Run(
        FloatImage source, CropBox box, FloatImage destination, (int Width, int Height) full, CropBox window, ResampleFilter filter)
    {
        bool columns = full.Width != box.Width, rows = full.Height != box.Height;
        destination.Reshape(source.Channels, window.Width, window.Height);
        int first = window.Top, count = window.Height;
        if (rows)
        {
            vertical.Prepare(box.Height, full.Height, window.Top, window.Height, filter);
            (first, count) = (vertical.First[0], vertical.First[window.Height - 1] + vertical.Count[window.Height - 1] - vertical.First[0]);
        }
        int top = box.Top + first, left = box.Left;
        if (columns)
        {
            horizontal.Prepare(box.Width, full.Width, window.Left, window.Width, filter);
            var target = rows ? columnsDone : destination;
            target.Reshape(source.Channels, window.Width, count);
            int reach = PadWeights(window.Width);
            for (int c = 0; c < source.Channels; c++)
                ResampleColumns(source.Plane(c)[(top * source.Width + left)..], source.Width, count, target.Plane(c), window.Width, reach);
            (source, top, left) = (target, 0, 0);
        }
        else
        {
            left += window.Left;
        }
        if (!rows && columns)
            return;
        for (int c = 0; c < source.Channels; c++)
        {
            var from = source.Plane(c)[(top * source.Width + left)..];
            var to = destination.Plane(c);
            if (rows)
                ResampleRows(from, source.Width, first, to, window.Width, window.Height);
            else
                for (int y = 0; y < window.Height; y++)
                    from.Slice(y * source.Width, window.Width).CopyTo(to.Slice(y * window.Width, window.Width));
        }
    }

    /// <summary>The weights of columns as floats, each row of them filled up with zeros to whole vectors; their length.</summary>
    private int PadWeights(int width)
    {
        int reach = (horizontal.Reach + 7) / 8 * 8;
        if (padded.Length < width * reach)
            padded = new float[width * reach];
        for (int x = 0; x < width; x++)
        {
            var row = padded.AsSpan(x * reach, reach);
            row.Clear();
            for (int k = 0; k < horizontal.Count[x]; k++)
                row[k] = horizontal.Weights[x * horizontal.Reach + k] * Unit;
        }
        return reach;
    }

    private void ResampleColumns(ReadOnlySpan<float> source, int stride, int rows, Span<float> destination, int width, int reach)
    {
        int[] firsts = horizontal.First, counts = horizontal.Count;
        ref float weights = ref MemoryMarshal.GetArrayDataReference(padded);
        for (int y = 0; y < rows; y++)
        {
            var row = source[(y * stride)..];
            var output = destination.Slice(y * width, width);
            for (int x = 0; x < output.Length; x++)
            {
                int first = firsts[x], vectors = (counts[x] + 7) / 8;
                ref float weight = ref Unsafe.Add(ref weights, x * reach);
                float value;
                if (first + 8 * vectors <= row.Length)
                {
                    // What lies behind the taps counts nothing: its weights are 0.
                    ref float tap = ref Unsafe.Add(ref MemoryMarshal.GetReference(row), first);
                    var sum = Vector256<float>.Zero;
                    for (int v = 0; v < vectors; v++)
                        sum += Vector256.LoadUnsafe(ref tap, (nuint)(8 * v)) * Vector256.LoadUnsafe(ref weight, (nuint)(8 * v));
                    value = Vector256.Sum(sum);
                }
                else
                {
                    value = 0;
                    for (int k = 0; k < counts[x]; k++)
                        value += row[first + k] * Unsafe.Add(ref weight, k);
                }
                output[x] = Math.Clamp(value, 0, 1);
            }
        }
    }

    private void ResampleRows(ReadOnlySpan<float> source, int stride, int firstRow, Span<float> destination, int width, int height)
    {
        for (int y = 0; y < height; y++)
        {
            var from = source[((vertical.First[y] - firstRow) * stride)..];
            ReadOnlySpan<int> weights = vertical.Weights.AsSpan(y * vertical.Reach, vertical.Count[y]);
            ref float top = ref MemoryMarshal.GetReference(from);
            ref float output = ref destination[y * width];
            int x = 0;
            for (; x <= width - 8; x += 8)
            {
                ref float tap = ref Unsafe.Add(ref top, x);
                var sum = Vector256<float>.Zero;
                foreach (int weight in weights)
                {
                    sum += Vector256.Create(weight * Unit) * Vector256.LoadUnsafe(ref tap);
                    tap = ref Unsafe.Add(ref tap, stride);
                }
                Vector256.Min(Vector256.Max(sum, Vector256<float>.Zero), Vector256<float>.One).StoreUnsafe(ref output, (nuint)x);
            }
            for (; x < width; x++)
            {
                float sum = 0;
                for (int k = 0; k < weights.Length; k++)
                    sum += weights[k] * Unit * from[k * stride + x];
                Unsafe.Add(ref output, x) = Math.Clamp(sum, 0, 1);
            }
        }
    }
}
