using System.Buffers.Binary;
using System.IO.Compression;

namespace Dino.Pictures.Tests;

/// <summary>TIFFs written byte by byte, to have what no library writes.</summary>
internal static class TiffBytes
{
    public const int Bytes = 1, Short = 3, Long = 4, Rational = 5, Long8 = 16;

    /// <summary>One picture: its fields, and the strips or tiles that the file puts before its directory.</summary>
    public sealed record Picture(SortedDictionary<int, (int Type, long[] Values)> Fields, byte[][] Parts)
    {
        /// <summary>With a field more, or another in its place.</summary>
        public Picture With(int tag, int type, params long[] values) =>
            this with { Fields = new(Fields) { [tag] = (type, values) } };

        /// <summary>Without a field.</summary>
        public Picture Without(int tag) => this with { Fields = new(Fields.Where(field => field.Key != tag).ToDictionary()) };
    }

    /// <summary>A picture in one strip or, where a field says their size, in tiles.</summary>
    public static Picture Page(int width, int height, int photometric, int samples, int bits, byte[][] parts,
        params (int Tag, int Type, long[] Values)[] fields)
    {
        var picture = new Picture(new SortedDictionary<int, (int, long[])>
        {
            [256] = (Long, [width]),
            [257] = (Long, [height]),
            [258] = (Short, [.. Enumerable.Repeat((long)bits, samples)]),
            [259] = (Short, [1]),
            [262] = (Short, [photometric]),
            [277] = (Short, [samples]),
            [278] = (Long, [height]),
        }, parts);
        return fields.Aggregate(picture, (page, field) => page.With(field.Tag, field.Type, field.Values));
    }

    /// <summary>A file of one picture, its lowest bytes first.</summary>
    public static byte[] Of(Picture page) => Of([page]);

    /// <summary>A file of pictures.</summary>
    public static byte[] Of(Picture[] pages, bool bigEndian = false, bool big = false)
    {
        var file = new List<byte>();
        void Put(long value, int size)
        {
            for (int i = 0; i < size; i++)
                file.Add((byte)(value >> (8 * (bigEndian ? size - 1 - i : i))));
        }
        int place = big ? 8 : 4;
        file.AddRange(bigEndian ? "MM"u8 : "II"u8);
        Put(big ? 43 : 42, 2);
        if (big)
        {
            Put(8, 2);
            Put(0, 2);
        }
        int link = file.Count;
        Put(0, place);
        foreach (var page in pages)
        {
            var fields = new SortedDictionary<int, (int Type, long[] Values)>(page.Fields);
            bool tiled = fields.ContainsKey(322);
            long[] offsets = [.. page.Parts.Select(part =>
            {
                int at = file.Count;
                file.AddRange(part);
                return (long)at;
            })];
            fields.TryAdd(tiled ? 324 : 273, (big ? Long8 : Long, offsets));
            fields.TryAdd(tiled ? 325 : 279, (Long, [.. page.Parts.Select(part => (long)part.Length)]));
            var places = new Dictionary<int, long>();
            foreach (var (tag, (type, values)) in fields.Where(field => Size(field.Value.Type) * field.Value.Values.Length > place))
            {
                places[tag] = file.Count;
                foreach (long value in values)
                    Put(value, Size(type));
            }
            long directory = file.Count;
            Patch(file, link, directory, place, bigEndian);
            Put(fields.Count, big ? 8 : 2);
            foreach (var (tag, (type, values)) in fields)
            {
                Put(tag, 2);
                Put(type, 2);
                Put(values.Length / (type == Rational ? 2 : 1), place);
                int end = file.Count + place;
                if (places.TryGetValue(tag, out long at))
                    Put(at, place);
                else
                    foreach (long value in values)
                        Put(value, Size(type));
                while (file.Count < end)
                    file.Add(0);
            }
            link = file.Count;
            Put(0, place);
        }
        return [.. file];
    }

    /// <summary>Writes an offset over what is there.</summary>
    public static void Patch(IList<byte> file, int at, long value, int size, bool bigEndian = false)
    {
        for (int i = 0; i < size; i++)
            file[at + i] = (byte)(value >> (8 * (bigEndian ? size - 1 - i : i)));
    }

    public static byte[] Deflate(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>Samples of so many bits, one after the other, highest bit first; whole bytes in the file's order.</summary>
    public static byte[] Pack(IEnumerable<double> samples, int bits, bool isFloat = false, bool bigEndian = false)
    {
        var bytes = new List<byte>();
        ulong held = 0;
        int count = 0;
        foreach (double sample in samples)
        {
            byte[] whole = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(whole, (isFloat, bits) switch
            {
                (true, 16) => BitConverter.HalfToUInt16Bits((Half)sample),
                (true, 32) => BitConverter.SingleToUInt32Bits((float)sample),
                (true, _) => BitConverter.DoubleToUInt64Bits(sample),
                _ => sample < 0 ? (ulong)(long)sample : (ulong)sample,
            });
            if (bits % 8 == 0)
            {
                bytes.AddRange(bigEndian ? whole.Take(bits / 8).Reverse() : whole.Take(bits / 8));
                continue;
            }
            held = (held << bits) | (ulong)sample;
            for (count += bits; count >= 8; count -= 8)
                bytes.Add((byte)(held >> (count - 8)));
        }
        if (count > 0)
            bytes.Add((byte)(held << (8 - count)));
        return [.. bytes];
    }

    private static int Size(int type) => type switch { Bytes => 1, Short => 2, Long8 => 8, _ => 4 };
}
