using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Dino.Tensors.Io.Pickle;

/// <summary>A member of a zip file: its bytes lie at this place, as they are.</summary>
internal sealed record ZipMember(string Name, long Start, long Length);

/// <summary>
/// The members of a zip file of stored entries, as PyTorch writes them (APPNOTE.TXT 6.3.10). Every byte of the file must belong to one
/// entry
/// or to the directory, and the two descriptions of an entry must agree: no two readers can see different files in it.
/// </summary>
internal sealed class ZipDirectory
{
    private const uint LocalSignature = 0x04034b50, DescriptorSignature = 0x08074b50, CentralSignature = 0x02014b50;
    private const uint EndSignature = 0x06054b50, End64Signature = 0x06064b50, LocatorSignature = 0x07064b50;
    private const int LocalSize = 30, CentralSize = 46, EndSize = 22, End64Size = 56, LocatorSize = 20;
    private const ushort Encrypted = 1, HasDescriptor = 8, IsUtf8 = 0x800;
    private const int MaxDirectory = 4 << 20;

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly FileBytes file;

    private ZipDirectory(FileBytes file) => this.file = file;

    /// <summary>Whether the file begins as a zip file does.</summary>
    public static bool Recognises(ReadOnlySpan<byte> head) => head.StartsWith("PK"u8);

    /// <summary>The members in the order of their bytes, their checksums verified.</summary>
    /// <param name="file">The file.</param>
    /// <param name="judge">Is told each name before its entry is judged, and may refuse the file for it.</param>
    /// <exception cref="InvalidDataException">The file breaks a rule; the message says which.</exception>
    public static IReadOnlyList<ZipMember> Read(FileBytes file, Action<string> judge) => new ZipDirectory(file).Read(judge);

    private List<ZipMember> Read(Action<string> judge)
    {
        var (start, size, count, end) = Directory();
        if (size > MaxDirectory)
            throw Wrong($"a directory of {size} bytes; at most {MaxDirectory} are read");
        if (start < 0 || size != end - start || count > (ulong)size / CentralSize)
            throw Wrong("the directory does not end where its end is described");
        var entries = Entries(file.Read(start, (int)size), (int)count, judge);
        entries.Sort((a, b) => a.Header.CompareTo(b.Header));
        var members = new List<ZipMember>(entries.Count);
        long at = 0;
        foreach (var entry in entries)
        {
            if (entry.Header != at)
                throw Wrong($"member {StoredTensor.Quote(entry.Name)} begins at byte {entry.Header} where {at} was expected: members "
                    + $"overlap or leave a hole");
            members.Add(Member(entry, start, out at));
        }
        return at == start ? members : throw Wrong($"{start - at} bytes before the directory belong to no member");
    }

    /// <summary>The place, size and number of entries of the directory, and where it must end.</summary>
    private (long Start, long Size, ulong Count, long End) Directory()
    {
        if (file.Length < EndSize)
            throw Wrong($"{file.Length} bytes are too few");
        long endAt = file.Length - EndSize;
        byte[] end = file.Read(endAt, EndSize);
        if (U32(end, 0) != EndSignature)
            throw Wrong("it does not end with the end of a directory: cut short, or something follows it (a download that was not "
                + "finished: fetch it again)");
        if (U16(end, 20) != 0 || U16(end, 4) != 0 || U16(end, 6) != 0 || U16(end, 8) != U16(end, 10))
            throw Wrong("it has a comment or several parts");
        ulong count = U16(end, 10), size = U32(end, 12), start = U32(end, 16);
        long locatorAt = endAt - LocatorSize;
        byte[] locator = locatorAt >= End64Size ? file.Read(locatorAt, LocatorSize) : [];
        if (locator.Length == 0 || U32(locator, 0) != LocatorSignature)
            return count != ushort.MaxValue && size != uint.MaxValue && start != uint.MaxValue
                ? ((long)start, (long)size, count, endAt)
                : throw Wrong("its directory needs 64 bits and has 32");

        long end64At = locatorAt - End64Size;
        byte[] end64 = file.Read(end64At, End64Size);
        if (U32(locator, 4) != 0 || U32(locator, 16) != 1 || U64(locator, 8) != (ulong)end64At || U32(end64, 0) != End64Signature
            || U64(end64, 4) != End64Size - 12 || U32(end64, 16) != 0 || U32(end64, 20) != 0 || U64(end64, 24) != U64(end64, 32))
            throw Wrong("the end of its 64-bit directory is malformed");
        var (count64, size64, start64) = (U64(end64, 32), U64(end64, 40), U64(end64, 48));
        if (count != ushort.MaxValue && count != count64 || size != uint.MaxValue && size != size64 || start != uint.MaxValue
            && start != start64)
            throw Wrong("its two ends describe different directories");
        if (size64 > (ulong)file.Length || start64 > (ulong)file.Length)
            throw Wrong("its directory lies outside");
        return ((long)start64, (long)size64, count64, end64At);
    }

    private List<Entry> Entries(byte[] directory, int count, Action<string> judge)
    {
        var entries = new List<Entry>(count);
        var names = new HashSet<string>(count);
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            if (directory.Length - at < CentralSize || U32(directory, at) != CentralSignature)
                throw Wrong($"entry {i} of the directory is malformed");
            var head = directory.AsSpan(at, CentralSize);
            int nameLength = U16(head, 28), extraLength = U16(head, 30);
            if (U16(head, 32) != 0 || U16(head, 34) is not (0 or ushort.MaxValue))
                throw Wrong($"entry {i} of the directory has a comment or lies in another part");
            if (nameLength == 0 || directory.Length - at - CentralSize < nameLength + extraLength)
                throw Wrong($"entry {i} of the directory has no name or is cut short");
            string name = Name(directory.AsSpan(at + CentralSize, nameLength), i);
            judge(name);
            ushort flags = U16(head, 8);
            if ((flags & Encrypted) != 0)
                throw Wrong($"member {StoredTensor.Quote(name)} is encrypted");
            if ((flags & ~(HasDescriptor | IsUtf8)) != 0)
                throw Wrong($"member {StoredTensor.Quote(name)} has the flags 0x{flags:x}");
            if (U16(head, 10) != 0)
                throw Wrong($"member {StoredTensor.Quote(name)} is compressed; PyTorch stores");
            ulong packed = U32(head, 20), length = U32(head, 24), header = U32(head, 42);
            var wide = Wide(directory.AsSpan(at + CentralSize + nameLength, extraLength), name);
            length = Widen(length, ref wide, name);
            packed = Widen(packed, ref wide, name);
            header = Widen(header, ref wide, name);
            if (packed != length)
                throw Wrong($"member {StoredTensor.Quote(name)} is stored and has two lengths");
            if (length > (ulong)file.Length || header > (ulong)file.Length)
                throw Wrong($"member {StoredTensor.Quote(name)} lies outside");
            if (!names.Add(name))
                throw Wrong($"member {StoredTensor.Quote(name)} is there twice");
            entries.Add(new Entry(name, flags, U32(head, 16), (long)length, (long)header));
            at += CentralSize + nameLength + extraLength;
        }
        return at == directory.Length ? entries : throw Wrong("the directory goes on after its last entry");
    }

    /// <summary>Checks what stands before and behind the bytes of a member, and their checksum.</summary>
    private ZipMember Member(Entry entry, long limit, out long next)
    {
        if (limit - entry.Header < LocalSize)
            throw Cut(entry);
        byte[] head = file.Read(entry.Header, LocalSize);
        int nameLength = U16(head, 26), extraLength = U16(head, 28);
        if (limit - entry.Header - LocalSize < nameLength + extraLength)
            throw Cut(entry);
        byte[] rest = file.Read(entry.Header + LocalSize, nameLength + extraLength);
        bool described = (entry.Flags & HasDescriptor) != 0;
        ulong packed = U32(head, 18), length = U32(head, 22);
        if (packed == uint.MaxValue || length == uint.MaxValue)
        {
            var wide = Wide(rest.AsSpan(nameLength), entry.Name);
            length = Widen(length, ref wide, entry.Name);
            packed = Widen(packed, ref wide, entry.Name);
        }
        uint checksum = U32(head, 14);
        bool left = described && checksum == 0 && packed == 0 && length == 0;
        if (U32(head, 0) != LocalSignature || U16(head, 6) != entry.Flags || U16(head, 8) != 0
            || !rest.AsSpan(0, nameLength).SequenceEqual(Encoding.UTF8.GetBytes(entry.Name))
            || !left && (checksum != entry.Checksum || packed != (ulong)entry.Length || length != (ulong)entry.Length))
            throw Wrong($"member {StoredTensor.Quote(entry.Name)} is described in two ways");
        long start = entry.Header + LocalSize + nameLength + extraLength;
        if (entry.Length > limit - start)
            throw Cut(entry);
        next = start + entry.Length;
        if (described)
            next += Descriptor(entry, next, limit);
        if (Checksum(start, entry.Length) != entry.Checksum)
            throw Wrong($"member {StoredTensor.Quote(entry.Name)} is damaged: its checksum differs");
        return new ZipMember(entry.Name, start, entry.Length);
    }

    /// <summary>The length of what repeats checksum and lengths behind a member: with lengths of 4 or of 8 bytes.</summary>
    private int Descriptor(Entry entry, long at, long limit)
    {
        byte[] bytes = file.Read(at, (int)Math.Min(24, limit - at));
        ulong length = (ulong)entry.Length;
        if (bytes.Length < 16 || U32(bytes, 0) != DescriptorSignature || U32(bytes, 4) != entry.Checksum)
            throw Wrong($"member {StoredTensor.Quote(entry.Name)} is described in two ways");
        // Of an empty member both forms may fit; the next entry decides.
        bool narrow = U32(bytes, 8) == length && U32(bytes, 12) == length;
        bool wide = bytes.Length == 24 && U64(bytes, 8) == length && U64(bytes, 16) == length;
        if (!narrow && !wide)
            throw Wrong($"member {StoredTensor.Quote(entry.Name)} is described in two ways");
        return narrow ? 16 : 24;
    }

    private uint Checksum(long start, long length)
    {
        var crc = new Crc32();
        byte[] piece = new byte[Math.Min(1 << 16, length)];
        for (long at = 0; at < length; at += piece.Length)
        {
            var part = piece.AsSpan(0, (int)Math.Min(piece.Length, length - at));
            file.Read(part, start + at);
            crc.Append(part);
        }
        return crc.GetCurrentHashAsUInt32();
    }

    private string Name(ReadOnlySpan<byte> bytes, int i)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Wrong($"the name of entry {i} is not UTF-8");
        }
    }

    /// <summary>The 64-bit values of an extra field, in the order length, packed length, header.</summary>
    private ReadOnlySpan<byte> Wide(ReadOnlySpan<byte> extra, string name)
    {
        ReadOnlySpan<byte> found = default;
        while (extra.Length > 0)
        {
            if (extra.Length < 4 || extra.Length - 4 < U16(extra, 2))
                throw Wrong($"member {StoredTensor.Quote(name)} has a malformed extra field");
            if (U16(extra, 0) == 1)
                found = found.IsEmpty ? extra.Slice(4, U16(extra, 2))
                    : throw Wrong($"member {StoredTensor.Quote(name)} has two 64-bit fields");
            extra = extra[(4 + U16(extra, 2))..];
        }
        return found;
    }

    private ulong Widen(ulong narrow, ref ReadOnlySpan<byte> wide, string name)
    {
        if (narrow != uint.MaxValue)
            return narrow;
        if (wide.Length < 8)
            throw Wrong($"member {StoredTensor.Quote(name)} lacks a 64-bit field");
        ulong value = U64(wide, 0);
        wide = wide[8..];
        return value;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private InvalidDataException Cut(Entry entry) => Wrong($"member {StoredTensor.Quote(entry.Name)} is cut short");

    private InvalidDataException Wrong(string what) => new($"{file.Path}: refused as a zip file: {what}.");

    private sealed record Entry(string Name, ushort Flags, uint Checksum, long Length, long Header);
}
