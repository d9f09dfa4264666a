using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>The interpolation kernels of Pillow's resize.</summary>
public enum ResampleFilter
{
    /// <summary>The triangle, support 1.</summary>
    Bilinear,

    /// <summary>The cubic convolution with a = −0.5, support 2 (the position embedding uses −0.75, another kernel).</summary>
    Bicubic,

    /// <summary>The sinc within a wider sinc, support 3.</summary>
    Lanczos,
}

/// <summary>A rectangle of pixels inside a picture.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Width">Number of columns.</param>
/// <param name="Height">Number of rows.</param>
public readonly record struct CropBox(int Left, int Top, int Width, int Height);

/// <summary>Antialiased resize, bit for bit as Pillow's <c>Image.resize</c> on 8-bit images. One per worker: it owns its scratch.</summary>
/// <remarks>
/// The kernel is widened by the scale factor when shrinking and its weights are normalised at the borders. Columns are done first,
/// then rows, with 8-bit values between, in 22-bit fixed point; a pass that keeps its size is left out.
/// Every sum fits 32 bits: 255 · 2²² · Σ|w| with Σ|w| under 1.4 for the cubic, under 1.6 for Lanczos's kernel.
/// </remarks>
public sealed class Resample
{
    private const int FractionBits = ResampleTaps.FractionBits;

    private readonly RgbImage columnsDone = new(), premultiplied = new();
    private readonly ResampleTaps horizontal = new(), vertical = new();

    /// <summary>Cuts <paramref name="box"/> out of the source, then resizes it; pixels outside the box have no influence.</summary>
    public void Crop(
        RgbImage source, CropBox box, RgbImage destination, int width, int height, ResampleFilter filter = ResampleFilter.Bicubic)
    {
        if (box.Left < 0 || box.Top < 0 || box.Width < 1 || box.Height < 1
            || box.Width > source.Width - box.Left || box.Height > source.Height - box.Top)
            throw new ArgumentException($"The crop {box} does not lie inside the picture of {source.Width} × {source.Height} pixels.");
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        Run(source, box, destination, (width, height), new CropBox(0, 0, width, height), filter);
    }

    /// <summary>Resizes the whole picture.</summary>
    public void Resize(RgbImage source, RgbImage destination, int width, int height, ResampleFilter filter = ResampleFilter.Bicubic) =>
        Crop(source, new CropBox(0, 0, source.Width, source.Height), destination, width, height, filter);

    /// <summary>
    /// Resizes the shorter side to <paramref name="size"/>, the longer in proportion, truncated (torchvision's <c>Resize</c>).
    /// </summary>
    public void ResizeShortSide(RgbImage source, RgbImage destination, int size, ResampleFilter filter = ResampleFilter.Bicubic)
    {
        (int width, int height) = ShortSideSize(source.Width, source.Height, size);
        Resize(source, destination, width, height, filter);
    }

    /// <summary>
    /// Shorter side to <paramref name="size"/>, then the central square, its offsets (n − square) / 2 rounded half to even: the
    /// picture of every evaluation, as torchvision's <c>Resize</c> and <c>CenterCrop</c>. Only the square is computed.
    /// </summary>
    public void ResizeAndCentreCrop(
        RgbImage source, RgbImage destination, int size, int square, ResampleFilter filter = ResampleFilter.Bicubic)
    {
        var (full, window) = Centre(source.Width, source.Height, size, square);
        var whole = new CropBox(0, 0, source.Width, source.Height);
        Run(source, whole, destination, full, window, filter);
    }

    /// <summary>The size after the shorter side became <paramref name="size"/>, and the central square of that.</summary>
    internal static ((int Width, int Height) Full, CropBox Window) Centre(int width, int height, int size, int square)
    {
        if (square < 1 || square > size)
            throw new ArgumentException($"The central square of {square} pixels must be 1 … {size}, the size of the shorter side.");
        var full = ShortSideSize(width, height, size);
        int left = (int)Math.Round((full.Width - square) / 2.0), top = (int)Math.Round((full.Height - square) / 2.0);
        return (full, new CropBox(left, top, square, square));
    }

    /// <summary>Width and height after the shorter side became <paramref name="size"/>.</summary>
    internal static (int Width, int Height) ShortSideSize(int width, int height, int size) => width <= height
        ? (size, (int)((double)size * height / width))
        : ((int)((double)size * width / height), size);

    /// <summary>
    /// Resizes the box to <paramref name="full"/> pixels and keeps the window of that; colours that have an opacity are weighed with it.
    /// </summary>
    private void Run(
        RgbImage source, CropBox box, RgbImage destination, (int Width, int Height) full, CropBox window, ResampleFilter filter)
    {
        if (ReferenceEquals(source, destination))
            throw new ArgumentException("Source and destination of a resize must be two images.");
        if (source.Opacity is not { } opacity)
        {
            destination.Opacity = null;
            RunColours(source, box, destination, full, window, filter);
            return;
        }
        bool same = full == (box.Width, box.Height);
        if (!same)
            Premultiply.Apply(source, opacity, premultiplied);
        RunColours(same ? source : premultiplied, box, destination, full, window, filter);
        destination.Opacity ??= new RgbImage();
        RunColours(opacity, box, destination.Opacity, full, window, filter);
        if (!same)
            Premultiply.Undo(destination, destination.Opacity);
    }

    private void RunColours(
        RgbImage source, CropBox box, RgbImage destination, (int Width, int Height) full, CropBox window, ResampleFilter filter)
    {
        bool columns = full.Width != box.Width, rows = full.Height != box.Height;
        destination.Reshape(window.Width, window.Height);

        // The rows of the source that the window needs.
        int first = window.Top, count = window.Height;
        if (rows)
        {
            vertical.Prepare(box.Height, full.Height, window.Top, window.Height, filter);
            (first, count) = (vertical.First[0], vertical.First[window.Height - 1] + vertical.Count[window.Height - 1] - vertical.First[0]);
        }
        int stride = source.Width * 3;
        ReadOnlySpan<byte> pixels = source.Padded[((box.Top + first) * stride + box.Left * 3)..];
        if (columns)
        {
            horizontal.Prepare(box.Width, full.Width, window.Left, window.Width, filter);
            RgbImage target = rows ? columnsDone : destination;
            target.Reshape(window.Width, count);
            ResampleColumns(pixels, stride, count, target.Padded, window.Width);
            pixels = target.Padded;
            stride = window.Width * 3;
        }
        else
        {
            pixels = pixels[(window.Left * 3)..];
        }
        if (rows)
            ResampleRows(pixels, stride, first, destination);
        else if (!columns)
            for (int y = 0; y < window.Height; y++)
                pixels.Slice(y * stride, window.Width * 3).CopyTo(destination.Row(y));
    }

    // A pixel is one vector (R, G, B and the next pixel's R, never stored for good): interleaved pixels then need no shuffling.
    private void ResampleColumns(ReadOnlySpan<byte> source, int stride, int rows, Span<byte> destination, int width)
    {
        ref byte output = ref MemoryMarshal.GetReference(destination);
        ref int weights = ref MemoryMarshal.GetArrayDataReference(horizontal.Weights);
        int[] firsts = horizontal.First, counts = horizontal.Count;
        int reach = horizontal.Reach;
        for (int y = 0; y < rows; y++)
        {
            ref byte row = ref Unsafe.AsRef(in source[y * stride]);
            for (int x = 0; x < width; x++)
            {
                ref byte pixel = ref Unsafe.Add(ref row, firsts[x] * 3);
                ref int weight = ref Unsafe.Add(ref weights, x * reach);
                var sum = Vector128.Create(1 << (FractionBits - 1));
                for (int k = counts[x]; k > 0; k--)
                {
                    sum += Vector128.Create(weight) * Widen4(ref pixel);
                    pixel = ref Unsafe.Add(ref pixel, 3);
                    weight = ref Unsafe.Add(ref weight, 1);
                }
                sum = Vector128.Min(Vector128.Max(sum >> FractionBits, Vector128<int>.Zero), Vector128.Create(255));
                Unsafe.WriteUnaligned(ref output, Narrow4(sum));
                output = ref Unsafe.Add(ref output, 3);
            }
        }
    }

    private void ResampleRows(ReadOnlySpan<byte> source, int stride, int firstRow, RgbImage destination)
    {
        int rowBytes = destination.Width * 3;
        for (int y = 0; y < destination.Height; y++)
        {
            ref byte output = ref MemoryMarshal.GetReference(destination.Row(y));
            ref byte top = ref Unsafe.AsRef(in source[(vertical.First[y] - firstRow) * stride]);
            ReadOnlySpan<int> weights = vertical.Weights.AsSpan(y * vertical.Reach, vertical.Count[y]);
            int i = 0;
            for (; i <= rowBytes - 16; i += 16)
            {
                Vector256<int> low = Vector256.Create(1 << (FractionBits - 1)), high = low;
                ref byte tap = ref Unsafe.Add(ref top, i);
                foreach (int weight in weights)
                {
                    Vector256<ushort> wide = Vector256.WidenLower(Vector128.LoadUnsafe(ref tap).ToVector256Unsafe());
                    var w = Vector256.Create(weight);
                    low += w * Vector256.WidenLower(wide).AsInt32();
                    high += w * Vector256.WidenUpper(wide).AsInt32();
                    tap = ref Unsafe.Add(ref tap, stride);
                }
                Vector256<int> zero = Vector256<int>.Zero, top255 = Vector256.Create(255);
                low = Vector256.Min(Vector256.Max(low >> FractionBits, zero), top255);
                high = Vector256.Min(Vector256.Max(high >> FractionBits, zero), top255);
                Vector256<ushort> words = Vector256.Narrow(low.AsUInt32(), high.AsUInt32());
                Vector128.Narrow(words.GetLower(), words.GetUpper()).StoreUnsafe(ref output, (nuint)i);
            }
            for (; i < rowBytes; i++)
            {
                int sum = 1 << (FractionBits - 1);
                ref byte tap = ref Unsafe.Add(ref top, i);
                foreach (int weight in weights)
                {
                    sum += weight * tap;
                    tap = ref Unsafe.Add(ref tap, stride);
                }
                Unsafe.Add(ref output, i) = (byte)Math.Clamp(sum >> FractionBits, 0, 255);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Widen4(ref byte source) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(ref source)).AsByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Narrow4(Vector128<int> values)
    {
        Vector128<ushort> words = Vector128.Narrow(values.AsUInt32(), values.AsUInt32());
        return Vector128.Narrow(words, words).AsUInt32().ToScalar();
    }
}
