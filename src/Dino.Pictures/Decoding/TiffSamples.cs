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
    /// Samples in 8 bits: the upper 8 of more, all of fewer spread over 0 … 255; of numbers with a sign, of more than 16 bits or with a
    /// point what lies between 0 and 255, as Pillow does.
    /// </summary>
    /// <param name="page">What they are.</param>
    /// <param name="row">A row of them.</param>
    /// <param name="to">Receives them.</param>
    /// <param name="step">From one that is written to the next.</param>
    /// <param name="scale">
    /// What numbers with a point are multiplied by, and then rounded; 1 leaves them, and cuts off as Pillow does.
    /// </param>
    public static void ToBytes(TiffPage page, ReadOnlySpan<byte> row, Span<byte> to, int step, float scale)
    {
        int count = (to.Length + step - 1) / step, bits = page.Bits;
        if (page.IsFloat || page.IsSigned || bits > 16)
        {
            for (int i = 0; i < count; i++)
            {
                double value = Value(page, row, i) * scale + (scale == 1 ? 0 : 0.5);
                to[i * step] = (byte)(value > 0 ? Math.Min(value, 255) : 0); // none of a number that is none
            }
        }
        else if (bits == 16)
        {
            var values = MemoryMarshal.Cast<byte, ushort>(row);
            for (int i = 0; i < count; i++)
                to[i * step] = (byte)(values[i] >> 8);
        }
        else if (bits == 8)
        {
            if (step == 1)
            {
                row[..count].CopyTo(to);
                return;
            }
            for (int i = 0; i < count; i++)
                to[i * step] = row[i];
        }
        else
        {
            bool isIndex = page.Colours == TiffColours.Palette;
            int white = (1 << bits) - 1;
            for (int i = 0; i < count; i++)
            {
                int value = Packed(row, i, bits);
                to[i * step] = (byte)(isIndex ? value : bits > 8 ? value >> (bits - 8) : (value * 255 + white / 2) / white);
            }
        }
    }

    /// <summary>Samples as they are.</summary>
    /// <inheritdoc cref="ToBytes"/>
    public static void ToFloats(TiffPage page, ReadOnlySpan<byte> row, Span<float> to, int step)
    {
        int count = (to.Length + step - 1) / step;
        for (int i = 0; i < count; i++)
            to[i * step] = (float)Value(page, row, i);
    }

    private static double Value(TiffPage page, ReadOnlySpan<byte> row, int i) => (page.Bits, page.IsFloat, page.IsSigned) switch
    {
        (8, _, false) => row[i],
        (8, _, true) => (sbyte)row[i],
        (16, true, _) => (double)MemoryMarshal.Cast<byte, Half>(row)[i],
        (16, _, true) => MemoryMarshal.Cast<byte, short>(row)[i],
        (16, _, _) => MemoryMarshal.Cast<byte, ushort>(row)[i],
        (32, true, _) => MemoryMarshal.Cast<byte, float>(row)[i],
        (32, _, true) => MemoryMarshal.Cast<byte, int>(row)[i],
        (32, _, _) => MemoryMarshal.Cast<byte, uint>(row)[i],
        (64, true, _) => MemoryMarshal.Cast<byte, double>(row)[i],
        (64, _, true) => MemoryMarshal.Cast<byte, long>(row)[i],
        (64, _, _) => MemoryMarshal.Cast<byte, ulong>(row)[i],
        _ => Packed(row, i, page.Bits),
    };

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
