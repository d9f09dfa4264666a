using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Dino.Tensors.Io;

/// <summary>Arrays as numpy's <c>.npy</c> files (NEP 1, version 1.0, little-endian, row-major): what <c>numpy.load</c> reads.</summary>
public static class NpyFile
{
    /// <summary>Bytes before the numbers: the same for every shape, so that the number of rows can be written last.</summary>
    public const int HeaderLength = 128;

    /// <summary>The bytes before the float32 numbers of an array of <paramref name="shape"/>.</summary>
    public static byte[] FloatHeader(params ReadOnlySpan<long> shape) => Header("<f4", shape);

    /// <summary>Writes (rows, columns) of float32, a row at a time.</summary>
    /// <param name="path">The file; it appears whole under its name or not at all.</param>
    /// <param name="rows">How many.</param>
    /// <param name="columns">The length of a row.</param>
    /// <param name="row">Gives a row; its memory may be that of the last one.</param>
    public static void Write(string path, int rows, int columns, Func<int, float[]> row) => AtomicFile.Write(path, stream =>
    {
        stream.Write(FloatHeader(rows, columns));
        for (int i = 0; i < rows; i++)
            stream.Write(MemoryMarshal.AsBytes(row(i).AsSpan(0, columns)));
    });

    /// <summary>Writes whole numbers as (n) of int32.</summary>
    public static void Write(string path, IReadOnlyList<int> values) => AtomicFile.Write(path, stream =>
    {
        stream.Write(Header("<i4", [values.Count]));
        int[] copy = [.. values];
        stream.Write(MemoryMarshal.AsBytes(copy.AsSpan()));
    });

    private static byte[] Header(string type, ReadOnlySpan<long> shape)
    {
        var sizes = new StringBuilder();
        foreach (long size in shape)
            sizes.Append(CultureInfo.InvariantCulture, $"{size}, ");
        // Numpy writes (5,) for one dimension and (5, 4) for more.
        string tuple = shape.Length == 1 ? sizes.ToString().TrimEnd() : sizes.ToString().TrimEnd(' ', ',');
        string text = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({tuple}), }}";
        byte[] header = new byte[HeaderLength];
        header.AsSpan().Fill((byte)' ');
        header[0] = 0x93;
        "NUMPY"u8.CopyTo(header.AsSpan(1));
        (header[6], header[7]) = (1, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), HeaderLength - 10);
        Encoding.ASCII.GetBytes(text, header.AsSpan(10));
        header[^1] = (byte)'\n';
        return header;
    }
}
