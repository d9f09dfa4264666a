using System.Buffers.Binary;

namespace Dino.Pictures.Writing;

/// <summary>Writes an animated GIF (GIF89a) frame by frame, each with 256 colours of its own; it repeats for ever.</summary>
public sealed class GifWriter
{
    private const int CodeBits = 8, Clear = 1 << CodeBits, End = Clear + 1, MostCodes = 4096;

    private readonly Stream stream;
    private readonly int width, height;
    private readonly ColourTable colours = new();
    private readonly byte[] indices;
    private readonly short[] children = new short[MostCodes * 256]; // 0: none, as no string has the code 0 as its continuation
    private readonly byte[] block = new byte[255];
    private int blockLength, pending, pendingBits;

    /// <summary>Writes the head.</summary>
    /// <param name="stream">Where to; stays open.</param>
    /// <param name="width">Width of every frame, 1 to 65535.</param>
    /// <param name="height">Height of every frame.</param>
    public GifWriter(Stream stream, int width, int height)
    {
        if (width is < 1 or > ushort.MaxValue || height is < 1 or > ushort.MaxValue)
            throw new ArgumentException($"A GIF cannot have {width} × {height} pixels.");
        (this.stream, this.width, this.height) = (stream, width, height);
        indices = new byte[width * height];
        stream.Write("GIF89a"u8);
        Number(width);
        Number(height);
        stream.Write([0x70, 0, 0]); // eight bits a colour, no table for all frames
        stream.Write([0x21, 0xFF, 11, .. "NETSCAPE2.0"u8, 3, 1, 0, 0, 0]);
    }

    /// <summary>Adds a frame.</summary>
    /// <param name="rgb">height·width·3 bytes, row by row, red first.</param>
    /// <param name="milliseconds">How long it is shown, in steps of ten.</param>
    public void Add(ReadOnlySpan<byte> rgb, int milliseconds)
    {
        if (rgb.Length != 3 * width * height)
            throw new ArgumentException($"A frame of {width} × {height} pixels needs {3 * width * height} bytes, not {rgb.Length}.",
                nameof(rgb));
        colours.Choose(rgb);
        colours.Map(rgb, indices);
        stream.Write([0x21, 0xF9, 4, 4]); // the frame stays until the next one covers it
        Number(Math.Clamp((milliseconds + 5) / 10, 2, ushort.MaxValue)); // players take less than 2 for "slow"
        stream.Write([0, 0, 0x2C, 0, 0, 0, 0]);
        Number(width);
        Number(height);
        stream.WriteByte(0x87); // a table of 256 colours follows
        stream.Write(colours.Palette);
        Compress();
    }

    /// <summary>Writes the end; the frames are then a whole file.</summary>
    public void Finish() => stream.WriteByte(0x3B);

    /// <summary>LZW with codes of 9 to 12 bits; the dictionary starts anew when it is full.</summary>
    private void Compress()
    {
        stream.WriteByte(CodeBits);
        int next = End + 1, bits = CodeBits + 1, prefix = indices[0];
        Array.Clear(children);
        Put(Clear, bits);
        foreach (byte index in indices.AsSpan(1))
        {
            int place = prefix << 8 | index;
            if (children[place] != 0)
            {
                prefix = children[place];
                continue;
            }
            Put(prefix, bits);
            if (next < MostCodes)
            {
                // The reader adds a string one code later than the writer, so the width grows when the code itself needs it.
                if (next == 1 << bits)
                    bits++;
                children[place] = (short)next++;
            }
            else
            {
                Put(Clear, bits);
                Array.Clear(children);
                (next, bits) = (End + 1, CodeBits + 1);
            }
            prefix = index;
        }
        Put(prefix, bits);
        if (next == 1 << bits && bits < 12)
            bits++;
        Put(End, bits);
        if (pendingBits > 0)
            PutByte((byte)pending);
        (pending, pendingBits) = (0, 0);
        FlushBlock();
        stream.WriteByte(0);
    }

    private void Put(int code, int bits)
    {
        pending |= code << pendingBits;
        for (pendingBits += bits; pendingBits >= 8; pendingBits -= 8, pending >>= 8)
            PutByte((byte)pending);
    }

    private void PutByte(byte value)
    {
        block[blockLength++] = value;
        if (blockLength == block.Length)
            FlushBlock();
    }

    private void FlushBlock()
    {
        if (blockLength == 0)
            return;
        stream.WriteByte((byte)blockLength);
        stream.Write(block, 0, blockLength);
        blockLength = 0;
    }

    private void Number(int value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
        stream.Write(bytes);
    }
}
