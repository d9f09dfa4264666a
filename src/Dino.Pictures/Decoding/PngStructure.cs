using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Dino.Pictures.Decoding;

/// <summary>The chunks of a PNG file (ISO 15948, section 5): what the codec and Pillow disagree on.</summary>
internal static class PngStructure
{
    private const int Signature = 8, Overhead = 12;

    /// <summary>The seven passes of an interlaced picture (section 8.2): where each begins, and its steps.</summary>
    public static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <summary>Whether the chunk that ends a picture is there; Pillow refuses a file without it.</summary>
    public static bool IsComplete(ReadOnlySpan<byte> file)
    {
        for (int at = Signature; Next(file, at, out int next); at = next)
            if (file.Slice(at + 4, 4).SequenceEqual("IEND"u8))
                return true;
        return false;
    }

    /// <summary>
    /// Whether the header comes first, with no other behind it that could state another size, and nothing stands between the image data.
    /// </summary>
    public static bool IsRegular(ReadOnlySpan<byte> file)
    {
        int headers = 0, runs = 0;
        bool inData = false;
        for (int at = Signature; Next(file, at, out int next); at = next)
        {
            var type = file.Slice(at + 4, 4);
            if (type.SequenceEqual("IHDR"u8))
                headers += at == Signature ? 1 : 2;
            bool isData = type.SequenceEqual("IDAT"u8);
            runs += isData && !inData ? 1 : 0;
            inData = isData;
        }
        return headers == 1 && runs == 1;
    }

    /// <summary>Bytes of all rows, each with its filter's; 0 if the header makes no sense.</summary>
    public static long RowBytes(long width, long height, int bits, bool isInterlaced)
    {
        if (width < 1 || height < 1 || width > int.MaxValue || height > int.MaxValue)
            return 0;
        double bytes = 0;
        foreach (var (x, y, stepX, stepY) in isInterlaced ? Adam7 : [(0, 0, 1, 1)])
        {
            long columns = (width - x + stepX - 1) / stepX, rows = (height - y + stepY - 1) / stepY;
            bytes += columns > 0 && rows > 0 ? rows * (1.0 + (columns * bits + 7) / 8) : 0;
        }
        return (long)bytes;
    }

    /// <summary>
    /// Whether the image data unpack to so many bytes: ImageSharp takes missing ones for zeros, or waits for them for ever.
    /// </summary>
    public static bool IsWhole(ReadOnlySpan<byte> file, long bytes)
    {
        using var packed = new MemoryStream();
        foreach (var (start, length) in ImageData(file))
            packed.Write(file.Slice(start, length));
        packed.Position = 0;
        byte[] part = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            using var pixels = new ZLibStream(packed, CompressionMode.Decompress);
            while (bytes > 0)
            {
                int count = pixels.Read(part, 0, (int)Math.Min(part.Length, bytes));
                if (count == 0)
                    return false;
                bytes -= count;
            }
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(part);
        }
    }

    /// <summary>The data of the last chunk of a type; empty if there is none.</summary>
    public static ReadOnlySpan<byte> Last(ReadOnlySpan<byte> file, ReadOnlySpan<byte> type)
    {
        ReadOnlySpan<byte> found = default;
        for (int at = Signature; Next(file, at, out int next); at = next)
        {
            if (file.Slice(at + 4, 4).SequenceEqual(type))
                found = file[(at + 8)..(next - 4)];
        }
        return found;
    }

    /// <summary>Where the image data are, piece by piece.</summary>
    public static IReadOnlyList<(int Start, int Length)> ImageData(ReadOnlySpan<byte> file)
    {
        var pieces = new List<(int Start, int Length)>();
        for (int at = Signature; Next(file, at, out int next); at = next)
        {
            if (file.Slice(at + 4, 4).SequenceEqual("IDAT"u8))
                pieces.Add((at + 8, next - at - Overhead));
        }
        return pieces;
    }

    /// <summary>
    /// Writes the right checksum into every image data chunk with a wrong one, since Pillow does not look at those; tells whether any was.
    /// </summary>
    public static bool RepairChecksums(Span<byte> file)
    {
        bool repaired = false;
        for (int at = Signature; Next(file, at, out int next); at = next)
        {
            Span<byte> stored = file[(next - 4)..next];
            if (!file.Slice(at + 4, 4).SequenceEqual("IDAT"u8))
                continue;
            uint crc = Crc(file[(at + 4)..(next - 4)]);
            repaired |= BinaryPrimitives.ReadUInt32BigEndian(stored) != crc;
            BinaryPrimitives.WriteUInt32BigEndian(stored, crc);
        }
        return repaired;
    }

    private static bool Next(ReadOnlySpan<byte> file, int at, out int next)
    {
        next = at;
        if (file.Length - at < Overhead)
            return false;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
        if (length > file.Length - at - Overhead)
            return false;
        next = at + Overhead + (int)length;
        return true;
    }

    /// <summary>The checksum of a chunk's type and data.</summary>
    public static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~0u;
        foreach (byte b in bytes)
            crc = CrcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint n = 0; n < table.Length; n++)
        {
            uint c = n;
            for (int k = 0; k < 8; k++)
                c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            table[n] = c;
        }
        return table;
    }
}
