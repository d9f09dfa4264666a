using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Dino.Pictures.Tests;

/// <summary>Archives made on the spot, by the platform's own writers or by hand.</summary>
internal static class Archives
{
    public static byte[] Zip(CompressionLevel level, params IEnumerable<(string Name, byte[] Bytes)> files)
    {
        using var stream = new MemoryStream();
        Zip(stream, level, files);
        return stream.ToArray();
    }

    /// <summary>A zip whose lengths stand behind each file, as programs write it that cannot go back.</summary>
    public static byte[] StreamedZip(params IEnumerable<(string Name, byte[] Bytes)> files)
    {
        using var stream = new OneWay();
        Zip(stream, CompressionLevel.Optimal, files);
        return stream.Written.ToArray();
    }

    public static byte[] Tar(TarEntryFormat format, params IEnumerable<(string Name, byte[] Bytes)> files)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, format, leaveOpen: true))
        {
            foreach (var (name, bytes) in files)
                writer.WriteEntry(Entry(format, name, bytes));
        }
        return stream.ToArray();
    }

    /// <summary>A zip of one stored file whose lengths and places are those of the 64-bit fields.</summary>
    public static byte[] WideZip(string name, byte[] bytes, int before = 0)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(new byte[before]);
        byte[] text = Encoding.UTF8.GetBytes(name);
        uint crc = Crc32.HashToUInt32(bytes);
        writer.Write(0x04034b50u);
        Write16(writer, 45, 0x800, 0, 0, 0x5A21);
        writer.Write(crc);
        writer.Write(uint.MaxValue);
        writer.Write(uint.MaxValue);
        Write16(writer, text.Length, 20);
        writer.Write(text);
        Write16(writer, 1, 16);
        writer.Write((long)bytes.Length);
        writer.Write((long)bytes.Length);
        writer.Write(bytes);

        long directory = stream.Position - before;
        writer.Write(0x02014b50u);
        Write16(writer, 45, 45, 0x800, 0, 0, 0x5A21);
        writer.Write(crc);
        writer.Write(uint.MaxValue);
        writer.Write(uint.MaxValue);
        Write16(writer, text.Length, 28, 0, 0, 0);
        writer.Write(0u);
        writer.Write(uint.MaxValue);
        writer.Write(text);
        Write16(writer, 1, 24);
        writer.Write((long)bytes.Length);
        writer.Write((long)bytes.Length);
        writer.Write(0L);

        long end = stream.Position - before, size = end - directory;
        writer.Write(0x06064b50u);
        writer.Write(44L);
        Write16(writer, 45, 45);
        writer.Write(0u);
        writer.Write(0u);
        writer.Write(1L);
        writer.Write(1L);
        writer.Write(size);
        writer.Write(directory);
        writer.Write(0x07064b50u);
        writer.Write(0u);
        writer.Write(end);
        writer.Write(1u);
        writer.Write(0x06054b50u);
        Write16(writer, 0, 0, 0xFFFF, 0xFFFF);
        writer.Write(uint.MaxValue);
        writer.Write(uint.MaxValue);
        Write16(writer, 0);
        return stream.ToArray();
    }

    /// <summary>Where a zip's directory has an entry.</summary>
    public static int DirectoryEntry(ReadOnlySpan<byte> zip, string name)
    {
        byte[] text = Encoding.UTF8.GetBytes(name);
        for (int at = 0; at + 46 < zip.Length; at++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(zip[at..]) == 0x02014b50 && zip[(at + 46)..].StartsWith(text))
                return at;
        }
        throw new ArgumentException($"There is no {name}.", nameof(name));
    }

    public static TarEntry Entry(TarEntryFormat format, string name, byte[] bytes)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name),
            TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
            TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
            _ => new PaxTarEntry(TarEntryType.RegularFile, name),
        };
        entry.DataStream = new MemoryStream(bytes);
        entry.ModificationTime = new DateTimeOffset(2020, 2, 3, 4, 5, 6, TimeSpan.Zero);
        return entry;
    }

    private static void Zip(Stream stream, CompressionLevel level, IEnumerable<(string Name, byte[] Bytes)> files)
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        foreach (var (name, bytes) in files)
        {
            var entry = zip.CreateEntry(name, level);
            entry.LastWriteTime = new DateTimeOffset(2020, 2, 3, 4, 5, 6, TimeSpan.Zero);
            using var content = entry.Open();
            content.Write(bytes);
        }
    }

    private static void Write16(BinaryWriter writer, params ReadOnlySpan<int> values)
    {
        foreach (int value in values)
            writer.Write((ushort)value);
    }

    private sealed class OneWay : Stream
    {
        public MemoryStream Written { get; } = new();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Written.Write(buffer, offset, count);
    }
}
