using System.Buffers.Binary;
using System.IO.Compression;

namespace Dino.Pictures.Decoding;

/// <summary>
/// Grey and palette PNG files (ISO 15948) as the numbers that they store: ids of objects, which a codec would turn into colours. Numbers of
/// 16 bits are
/// taken as they are where all fit 8, else by their upper half.
/// </summary>
internal static class PngIndices
{
    private const int Grey = 0, Palette = 3;
    private static readonly (int X, int Y, int StepX, int StepY)[] plain = [(0, 0, 1, 1)];

    /// <summary>The numbers (height, width), or null if the file is no such PNG.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says how.</exception>
    public static (byte[] Values, int Width, int Height, bool IsPalette)? Read(ReadOnlySpan<byte> file, int maxPixels)
    {
        if (!PictureSignature.IsPng(file) || file.Length < 33 || !file.Slice(12, 4).SequenceEqual("IHDR"u8))
            return null;
        var header = file.Slice(16, 13);
        uint width = BinaryPrimitives.ReadUInt32BigEndian(header), height = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        int bits = header[8], type = header[9], interlace = header[12];
        if (type is not (Grey or Palette) || bits is not (1 or 2 or 4 or 8 or 16) || (bits == 16 && type != Grey) || interlace > 1)
            return null;
        if (width == 0 || height == 0 || (ulong)width * height > (ulong)maxPixels)
            throw new InvalidDataException($"its header states {width} × {height} pixels, not 1 … {maxPixels} in all");

        using var data = new MemoryStream();
        foreach (var (start, length) in PngStructure.ImageData(file))
            data.Write(file.Slice(start, length));
        data.Position = 0;
        byte[] values = new byte[width * height];
        byte[]? upper = bits == 16 ? new byte[values.Length] : null;
        try
        {
            using var pixels = new ZLibStream(data, CompressionMode.Decompress);
            foreach (var pass in interlace == 0 ? plain : PngStructure.Adam7)
                ReadPass(pixels, values, upper, (int)width, (int)height, bits, pass);
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException("the file is truncated");
        }
        if (upper is not null && upper.AsSpan().ContainsAnyExcept((byte)0))
            values = upper;
        return (values, (int)width, (int)height, type == Palette);
    }

    private static void ReadPass(
        Stream pixels, byte[] values, byte[]? upper, int width, int height, int bits, (int X, int Y, int StepX, int StepY) pass)
    {
        int columns = (width - pass.X + pass.StepX - 1) / pass.StepX, rows = (height - pass.Y + pass.StepY - 1) / pass.StepY;
        if (columns <= 0 || rows <= 0)
            return;
        byte[] line = new byte[(columns * bits + 7) / 8], above = new byte[line.Length];
        for (int row = 0; row < rows; row++)
        {
            int filter = pixels.ReadByte();
            if (filter < 0)
                throw new EndOfStreamException();
            pixels.ReadExactly(line);
            Unfilter(filter, line, above, Math.Max(1, bits / 8));
            int to = (pass.Y + row * pass.StepY) * width + pass.X;
            for (int column = 0; column < columns; column++, to += pass.StepX)
            {
                int bit = column * bits;
                if (upper is not null)
                    (upper[to], values[to]) = (line[2 * column], line[2 * column + 1]);
                else
                    values[to] = (byte)((line[bit >> 3] >> (8 - bits - (bit & 7))) & ((1 << bits) - 1));
            }
            (line, above) = (above, line);
        }
    }

    // Section 9.2: the byte to the left is that of the pixel before, or the last one where a pixel is less than a byte.
    private static void Unfilter(int filter, Span<byte> line, ReadOnlySpan<byte> above, int pixel)
    {
        if (filter > 4)
            throw new InvalidDataException("its data are damaged");
        for (int i = 0; i < line.Length; i++)
        {
            int left = i >= pixel ? line[i - pixel] : 0, up = above[i], corner = i >= pixel ? above[i - pixel] : 0;
            line[i] += (byte)(filter switch
            {
                1 => left,
                2 => up,
                3 => (left + up) / 2,
                4 => Paeth(left, up, corner),
                _ => 0,
            });
        }
    }

    private static int Paeth(int left, int up, int corner)
    {
        int toLeft = Math.Abs(up - corner), toUp = Math.Abs(left - corner), toCorner = Math.Abs(left + up - 2 * corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
}
