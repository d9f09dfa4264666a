using System.Buffers.Binary;

namespace Dino.Pictures.Decoding;

/// <summary>
/// Writes the small TIFF that a codec is given in place of a stranger's: one directory with what decompressing needs, each part at the
/// address of its number behind it.
/// </summary>
internal static class TiffOfParts
{
    private const ushort Short = 3, Long = 4, Undefined = 7;

    /// <summary>All bytes of it; part i begins at its length + i.</summary>
    public static byte[] Write(TiffPage page, byte[]? jpegTables)
    {
        int parts = page.Offsets.Length;
        var fields = new List<(TiffField Tag, ushort Type, long[] Values)>
        {
            (TiffField.ImageWidth, Long, [page.Width]),
            (TiffField.ImageLength, Long, [page.Height]),
            (TiffField.BitsPerSample, Short, [.. Enumerable.Repeat((long)page.Bits, page.Samples)]),
            (TiffField.Compression, Short, [page.Compression]),
            (TiffField.Photometric, Short, [page.HasBlocks ? 6 : 1]),
            (TiffField.FillOrder, Short, [page.ReversedBits ? 2 : 1]),
            (TiffField.SamplesPerPixel, Short, [page.Samples]),
            (TiffField.PlanarConfiguration, Short, [page.IsPlanar ? 2 : 1]),
        };
        if (page.IsTiled)
        {
            fields.Add((TiffField.TileWidth, Long, [page.PartWidth]));
            fields.Add((TiffField.TileLength, Long, [page.PartHeight]));
        }
        else
        {
            fields.Add((TiffField.RowsPerStrip, Long, [page.PartHeight]));
        }
        if (page.Compression is TiffPage.Group3 or TiffPage.Group4)
            fields.Add((page.Compression == TiffPage.Group3 ? TiffField.T4Options : TiffField.T6Options, Long, [page.FaxOptions]));
        if (page.HasBlocks)
            fields.Add((TiffField.YCbCrSubSampling, Short, [page.SubSampling.Across, page.SubSampling.Down]));
        if (jpegTables is not null)
            fields.Add((TiffField.JpegTables, Undefined, [.. jpegTables.Select(value => (long)value)]));
        fields.Add((page.IsTiled ? TiffField.TileOffsets : TiffField.StripOffsets, Long, new long[parts]));
        fields.Add((page.IsTiled ? TiffField.TileByteCounts : TiffField.StripByteCounts, Long, page.Counts));
        fields.Sort((one, other) => one.Tag.CompareTo(other.Tag));

        int end = 8 + 2 + 12 * fields.Count + 4;
        int length = end + fields.Sum(field => Bytes(field.Type, field.Values) is > 4 and var bytes ? bytes : 0);
        foreach (var (tag, _, values) in fields)
        {
            for (int i = 0; tag is TiffField.TileOffsets or TiffField.StripOffsets && i < parts; i++)
                values[i] = length + i;
        }
        byte[] file = new byte[length];
        "II*\0"u8.CopyTo(file);
        file[4] = 8;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), (ushort)fields.Count);
        int at = 10;
        foreach (var (tag, type, values) in fields)
        {
            var entry = file.AsSpan(at, 12);
            BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], type);
            BinaryPrimitives.WriteInt32LittleEndian(entry[4..], values.Length);
            int bytes = Bytes(type, values);
            var to = entry[8..];
            if (bytes > 4)
            {
                BinaryPrimitives.WriteInt32LittleEndian(to, end);
                to = file.AsSpan(end, bytes);
                end += bytes;
            }
            int size = bytes / values.Length;
            for (int i = 0; i < values.Length; i++)
            {
                if (size == 4)
                    BinaryPrimitives.WriteUInt32LittleEndian(to[(4 * i)..], (uint)values[i]);
                else if (size == 2)
                    BinaryPrimitives.WriteUInt16LittleEndian(to[(2 * i)..], (ushort)values[i]);
                else
                    to[i] = (byte)values[i];
            }
            at += 12;
        }
        return file;
    }

    private static int Bytes(ushort type, long[] values) => values.Length * (type switch { Long => 4, Short => 2, _ => 1 });
}
