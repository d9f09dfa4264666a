using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Dino.Pictures.Decoding;

/// <summary>Samples of a TIFF, packed as it stores them, to numbers.</summary>
internal static class TiffSamples
{
    /// <summary>Exchanges the bytes of each sample.</summary>
    public static void Swap(Span<byte> bytes, int bits)
    {
        if (bits == 16)
            Swap(MemoryMarshal.Cast<byte, ushort>(bytes), BinaryPrimitives.ReverseEndianness);
        else if (bits == 32)
            Swap(MemoryMarshal.Cast<byte, uint>(bytes), BinaryPrimitives.ReverseEndianness);
        else if (bits == 64)
            Swap(MemoryMarshal.Cast<byte, ulong>(bytes), BinaryPrimitives.ReverseEndianness);
    }

    /// <summary>Turns a row's differences from the pixel before into values: predictor 2.</summary>
    public static void Sum(Span<byte> row, int bits, int stride)
    {
        if (bits == 8)
            Sum(row, stride);
        else if (bits == 16)
            Sum(MemoryMarshal.Cast<byte, ushort>(row), stride);
        else if (bits == 32)
            Sum(MemoryMarshal.Cast<byte, uint>(row), stride);
        else
            Sum(MemoryMarshal.Cast<byte, ulong>(row), stride);
    }

    /// <summary>
    /// Turns differences of bytes into floating-point numbers: predictor 3, which stores the highest bytes of a row first (Adobe
    /// Photoshop TIFF Technical Note 3).
    /// </summary>
    public static void SumBytes(Span<byte> row, int bits, int stride)
    {
        Sum(row, stride);
        int size = bits / 8, count = row.Length / size;
        byte[] planes = row.ToArray();
        for (int i = 0; i < count; i++)
        {
            for (int at = 0; at < size; at++)
                row[i * size + size - 1 - at] = planes[at * count + i];
        }
    }

    /// <summary>
    /// Whole numbers in 8 bits: the upper 8 of more, all of fewer spread over 0 … 255, and of numbers with a sign or of more than 16 bits
    /// what lies between 0 and 255, as Pillow does.
    /// </summary>
    /// <param name="page">What they are.</param>
    /// <param name="row">A row of them.</param>
    /// <param name="to">Receives them.</param>
    /// <param name="step">From one that is written to the next.</param>
    public static void ToBytes(TiffPage page, ReadOnlySpan<byte> row, Span<byte> to, int step)
    {
        int bits = page.Bits;
        if (page.IsSigned || bits > 16)
            Clamp(page, row, to, step);
        else if (bits == 16)
            UpperHalf(MemoryMarshal.Cast<byte, ushort>(row), to, step);
        else if (bits == 8 && step == 1)
            row[..to.Length].CopyTo(to);
        else if (bits == 8)
            Spread(row, to, step);
        else
            Unpack(page, row, to, step);
    }

    /// <summary>Samples as they are.</summary>
    /// <inheritdoc cref="ToBytes"/>
    public static void ToFloats(TiffPage page, ReadOnlySpan<byte> row, Span<float> to, int step)
    {
        switch (page.Bits, page.IsFloat, page.IsSigned)
        {
            case (8, _, false):
                Convert<byte>(row, to, step);
                break;
            case (8, _, true):
                Convert<sbyte>(row, to, step);
                break;
            case (16, true, _):
                Convert<Half>(row, to, step);
                break;
            case (16, _, false):
                Convert<ushort>(row, to, step);
                break;
            case (16, _, true):
                Convert<short>(row, to, step);
                break;
            case (32, true, _):
                Convert<float>(row, to, step);
                break;
            case (32, _, false):
                Convert<uint>(row, to, step);
                break;
            case (32, _, true):
                Convert<int>(row, to, step);
                break;
            case (64, true, _):
                Convert<double>(row, to, step);
                break;
            case (64, _, false):
                Convert<ulong>(row, to, step);
                break;
            case (64, _, true):
                Convert<long>(row, to, step);
                break;
            default:
                for (int i = 0; i * step < to.Length; i++)
                    to[i * step] = Packed(row, i, page.Bits);
                break;
        }
    }

    private static void Clamp(TiffPage page, ReadOnlySpan<byte> row, Span<byte> to, int step)
    {
        float[] values = new float[(to.Length + step - 1) / step];
        ToFloats(page, row, values, 1);
        for (int i = 0; i < values.Length; i++)
            to[i * step] = (byte)Math.Clamp(values[i], 0, 255);
    }

    private static void UpperHalf(ReadOnlySpan<ushort> row, Span<byte> to, int step)
    {
        for (int i = 0, at = 0; at < to.Length; i++, at += step)
            to[at] = (byte)(row[i] >> 8);
    }

    private static void Spread(ReadOnlySpan<byte> row, Span<byte> to, int step)
    {
        for (int i = 0, at = 0; at < to.Length; i++, at += step)
            to[at] = row[i];
    }

    private static void Unpack(TiffPage page, ReadOnlySpan<byte> row, Span<byte> to, int step)
    {
        bool isIndex = page.Colours == TiffColours.Palette;
        int bits = page.Bits, white = (1 << bits) - 1;
        for (int i = 0, at = 0; at < to.Length; i++, at += step)
        {
            int value = Packed(row, i, bits);
            to[at] = (byte)(isIndex ? value : bits > 8 ? value >> (bits - 8) : (value * 255 + white / 2) / white);
        }
    }

    private static void Convert<T>(ReadOnlySpan<byte> row, Span<float> to, int step)
        where T : unmanaged, INumber<T>
    {
        var values = MemoryMarshal.Cast<byte, T>(row);
        for (int i = 0, at = 0; at < to.Length; i++, at += step)
            to[at] = float.CreateTruncating(values[i]);
    }

    /// <summary>A number of fewer than 17 bits, of numbers one after the other, highest bit first.</summary>
    private static int Packed(ReadOnlySpan<byte> row, int i, int bits)
    {
        long bit = (long)i * bits;
        int at = (int)(bit >> 3), end = (int)((bit + bits + 7) >> 3), value = 0;
        for (int k = at; k < end; k++)
            value = (value << 8) | row[k];
        return (value >> (int)((long)end * 8 - bit - bits)) & ((1 << bits) - 1);
    }

    private static void Swap<T>(Span<T> values, Func<T, T> reverse)
    {
        foreach (ref var value in values)
            value = reverse(value);
    }

    private static void Sum<T>(Span<T> row, int stride)
        where T : struct, IBinaryInteger<T>
    {
        for (int i = stride; i < row.Length; i++)
            row[i] += row[i - stride];
    }
}
