using System.Buffers.Binary;

namespace Dino.Testing.Runs;

/// <summary>Files of pictures of more than 8 bits, or of more than four channels, written by hand.</summary>
public static class DeepPictures
{
    /// <summary>A value of 12 bits for a channel of a pixel: no two pictures or channels share their pattern.</summary>
    public static ushort Value(int number, int channel, int x, int y) =>
        (ushort)((number * 397 + channel * 1013 + x * 211 + y * 89 + x * y * 7) % 4096);

    /// <summary>A PNG of 16 bits, of one channel, three or four (grey, RGB, RGBA).</summary>
    public static byte[] Png(int width, int height, int channels, Func<int, int, int, int> value)
    {
        byte[] raw = new byte[height * (1 + 2 * channels * width)];
        int at = 0;
        for (int y = 0; y < height; y++)
        {
            at++; // no filter
            for (int x = 0; x < width; x++)
                for (int c = 0; c < channels; c++, at += 2)
                    BinaryPrimitives.WriteUInt16BigEndian(raw.AsSpan(at), (ushort)value(c, x, y));
        }
        return PictureFolder.Png(width, height, 16, (byte)(channels switch { 1 => 0, 3 => 2, _ => 6 }), raw);
    }

    /// <summary>A TIFF of 8 bits, 16 bits or floats (32), of any number of channels, not compressed, little-endian.</summary>
    public static byte[] Tiff(int width, int height, int channels, int bits, Func<int, int, int, double> value)
    {
        bool colours = channels >= 3;
        int pixels = width * height * channels * bits / 8, perChannel = 2 * channels, extra = channels - (colours ? 3 : 1);
        const int Entries = 11;
        int directory = 8 + pixels, far = directory + 2 + 12 * Entries + 4;
        byte[] file = new byte[far + 3 * perChannel];
        var span = file.AsSpan();
        "II*\0"u8.CopyTo(span);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], directory);
        int at = 8;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int c = 0; c < channels; c++, at += bits / 8)
                {
                    double number = value(c, x, y);
                    if (bits == 8)
                        span[at] = (byte)number;
                    else if (bits == 16)
                        BinaryPrimitives.WriteUInt16LittleEndian(span[at..], (ushort)number);
                    else
                        BinaryPrimitives.WriteSingleLittleEndian(span[at..], (float)number);
                }
        BinaryPrimitives.WriteUInt16LittleEndian(span[at..], Entries);
        at += 2;
        Entry(span, 256, width);
        Entry(span, 257, height);
        Shorts(span, 258, channels, bits);
        Entry(span, 259, 1); // not compressed
        Entry(span, 262, colours ? 2 : 1);
        Entry(span, 273, 8);
        Entry(span, 277, channels);
        Entry(span, 278, height);
        Entry(span, 279, pixels);
        Shorts(span, 338, extra, 0); // of no meaning that is said
        Shorts(span, 339, channels, bits == 32 ? 3 : 1);
        return file;

        void Entry(Span<byte> to, int tag, int number) => Write(to, tag, 4, 1, number);

        void Shorts(Span<byte> to, int tag, int count, int number)
        {
            if (count <= 2)
            {
                Write(to, tag, 3, Math.Max(1, count), count == 2 ? number | number << 16 : number);
                return;
            }
            Write(to, tag, 3, count, far);
            for (int i = 0; i < count; i++, far += 2)
                BinaryPrimitives.WriteUInt16LittleEndian(to[far..], (ushort)number);
        }

        void Write(Span<byte> to, int tag, int type, int count, int number)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(to[at..], (ushort)tag);
            BinaryPrimitives.WriteUInt16LittleEndian(to[(at + 2)..], (ushort)type);
            BinaryPrimitives.WriteInt32LittleEndian(to[(at + 4)..], count);
            BinaryPrimitives.WriteInt32LittleEndian(to[(at + 8)..], number);
            at += 12;
        }
    }
}
