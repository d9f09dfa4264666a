using System.Buffers.Binary;
using Dino.Tensors.Io;
using Microsoft.Win32.SafeHandles;

namespace Dino.Pictures.Archives;

/// <summary>
/// The files of a zip archive by its directory, which stands at its end (APPNOTE.TXT 6.3.10): also of more than 4 GiB, with a comment, or
/// behind a program that unpacks it. A file's own header is read when it is opened.
/// </summary>
internal sealed class ZipListing
{
    private const uint LocalSignature = 0x04034b50, CentralSignature = 0x02014b50, EndSignature = 0x06054b50,
        End64Signature = 0x06064b50, LocatorSignature = 0x07064b50;
    private const int LocalSize = 30, CentralSize = 46, EndSize = 22, End64Size = 56, LocatorSize = 20, MostDirectory = 1 << 30;
    private const ushort Encrypted = 1, Unix = 3, UnixLink = 10, Stored = 0, Deflated = 8, WideField = 1, TimeField = 0x5455;

    private readonly SafeFileHandle file;
    private readonly long length;
    private readonly Action<string, string> skip;
    private readonly MemberList members = new();

    private ZipListing(SafeFileHandle file, Action<string, string> skip) =>
        (this.file, length, this.skip) = (file, RandomAccess.GetLength(file), skip);

    /// <summary>Whether a file that begins so is a zip archive.</summary>
    public static bool Recognises(ReadOnlySpan<byte> head) => head.StartsWith("PK\x03\x04"u8) || head.StartsWith("PK\x05\x06"u8);

    /// <summary>Lists an archive.</summary>
    /// <param name="file">The archive.</param>
    /// <param name="skip">Is told of files that cannot be read: name and reason.</param>
    /// <param name="cancel">Stops between two files.</param>
    /// <exception cref="InvalidDataException">It is damaged; the message says in what.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ArchiveListing Of(SafeFileHandle file, Action<string, string> skip, CancellationToken cancel = default) =>
        new ZipListing(file, skip).List(cancel);

    /// <summary>Where the bytes of a file begin, behind its own header.</summary>
    /// <exception cref="IOException">The header is damaged, or the archive ends before the file does.</exception>
    public static long StartOf(SafeFileHandle file, in ArchiveMember member, long length)
    {
        Span<byte> head = stackalloc byte[LocalSize];
        if (length - member.Start < LocalSize)
            throw new IOException("the archive ends before it");
        Fill(file, head, member.Start);
        if (U32(head, 0) != LocalSignature)
            throw new IOException("its header in the archive is damaged");
        long start = member.Start + LocalSize + U16(head, 26) + U16(head, 28);
        return length - start >= member.Packed ? start : throw new IOException("the archive ends within it");
    }

    private ArchiveListing List(CancellationToken cancel)
    {
        var (start, size, count, shift) = Directory();
        byte[] directory = new byte[size];
        Fill(file, directory, start);
        int at = 0;
        long i = 0;
        for (; at < directory.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            if (directory.Length - at < CentralSize || U32(directory, at) != CentralSignature)
                throw new InvalidDataException($"entry {i} of its directory is damaged");
            var head = directory.AsSpan(at, CentralSize);
            int name = U16(head, 28), extra = U16(head, 30), comment = U16(head, 32);
            if (directory.Length - at - CentralSize < name + extra + comment)
                throw new InvalidDataException($"entry {i} of its directory is cut short");
            Take(head, directory.AsSpan(at + CentralSize, name), directory.AsSpan(at + CentralSize + name, extra), shift);
            at += CentralSize + name + extra + comment;
        }
        // Old programs count no further than 65535, and begin again.
        return i == count || (i & ushort.MaxValue) == count ? ArchiveListing.Of(members)
            : throw new InvalidDataException($"its directory has {i} entries where its end says {count}");
    }

    /// <summary>
    /// Place and size of the directory, the number of its entries, and how far all places are shifted by what stands before the archive.
    /// </summary>
    private (long Start, int Size, long Count, long Shift) Directory()
    {
        // A comment of up to 65535 bytes may follow.
        byte[] tail = new byte[(int)Math.Min(length, EndSize + ushort.MaxValue)];
        long tailAt = length - tail.Length;
        Fill(file, tail, tailAt);
        int end = tail.Length - EndSize;
        while (end >= 0 && !(U32(tail, end) == EndSignature && tail.Length - end - EndSize >= U16(tail, end + 20)))
            end--;
        if (end < 0)
            throw new InvalidDataException("its directory, which stands at the end, is missing: it is cut short (a download that was not "
                + "finished?)");
        long endAt = tailAt + end, size = U32(tail, end + 12), start = U32(tail, end + 16), count = U16(tail, end + 10);
        if (U16(tail, end + 4) is not (0 or ushort.MaxValue) || U16(tail, end + 8) != U16(tail, end + 10))
            throw new InvalidDataException("it is one of several parts: put them together into one file");

        byte[] locator = new byte[LocatorSize];
        if (endAt >= LocatorSize + End64Size)
            Fill(file, locator, endAt - LocatorSize);
        if (U32(locator, 0) == LocatorSignature)
        {
            // Where it is said to be, or else right before the locator: something may stand before the archive.
            long most = endAt - LocatorSize - End64Size, stated = S64(locator, 8);
            byte[] wide = new byte[End64Size];
            foreach (long place in (ReadOnlySpan<long>)[stated, most])
            {
                if (place < 0 || place > most)
                    continue;
                Fill(file, wide, place);
                if (U32(wide, 0) == End64Signature)
                {
                    (count, size, start, endAt) = (S64(wide, 32), S64(wide, 40), S64(wide, 48), place);
                    break;
                }
            }
        }
        if (size is < 0 or > MostDirectory || count < 0 || count > size / CentralSize || start < 0 || start > endAt - size)
            throw new InvalidDataException("the end of its directory is damaged");
        long shift = endAt - size - start;
        return (start + shift, (int)size, count, shift);
    }

    private void Take(ReadOnlySpan<byte> head, ReadOnlySpan<byte> nameBytes, ReadOnlySpan<byte> extra, long shift)
    {
        string raw = RawName.Of(nameBytes);
        // Some programs of Windows write \ between folders.
        if (!raw.Contains('/', StringComparison.Ordinal))
            raw = raw.Replace('\\', '/');
        string name = MemberList.Clean(raw);
        if (raw.EndsWith('/'))
            return;
        ushort flags = U16(head, 8), method = U16(head, 10);
        long packed = U32(head, 20), size = U32(head, 24), start = U32(head, 42);
        long modified = DosTime(U16(head, 14), U16(head, 12));
        for (; extra.Length >= 4 && extra.Length - 4 >= U16(extra, 2); extra = extra[(4 + U16(extra, 2))..])
        {
            var field = extra.Slice(4, U16(extra, 2));
            if (U16(extra, 0) == TimeField && field.Length >= 5 && (field[0] & 1) != 0)
                modified = DateTime.UnixEpoch.Ticks + BinaryPrimitives.ReadInt32LittleEndian(field[1..]) * TimeSpan.TicksPerSecond;
            if (U16(extra, 0) == WideField)
            {
                size = Widen(size, ref field);
                packed = Widen(packed, ref field);
                start = Widen(start, ref field);
            }
        }
        if ((flags & Encrypted) != 0)
            skip(name, "it is encrypted");
        else if (head[5] == Unix && (U32(head, 38) >> 28) == UnixLink)
            skip(name, "it is a link; links in archives are not followed");
        else if (method is not (Stored or Deflated))
            skip(name, $"it is compressed by {MethodName(method)}, which is not read: pack it by 'deflate'");
        else if (size < 0 || packed < 0 || start < 0 || start > length - shift || packed > length || method == Stored && packed != size)
            skip(name, "its entry in the archive is damaged");
        else
            members.Add(new ArchiveMember(name, start + shift, packed, size, modified, method == Deflated, U32(head, 16)));
    }

    private static long Widen(long narrow, ref ReadOnlySpan<byte> wide)
    {
        if (narrow != uint.MaxValue || wide.Length < 8)
            return narrow;
        long value = S64(wide, 0);
        wide = wide[8..];
        return value;
    }

    // Local time of a place that is not named: taken for UTC, so that it is the same everywhere.
    private static long DosTime(int date, int time)
    {
        int year = 1980 + (date >> 9), month = (date >> 5) & 15, day = date & 31;
        int hour = time >> 11, minute = (time >> 5) & 63, second = 2 * (time & 31);
        return month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59
            ? 0 : new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks;
    }

    private static string MethodName(int method) => method switch
    {
        9 => "Deflate64",
        12 => "bzip2",
        14 => "LZMA",
        93 => "Zstandard",
        95 => "xz",
        98 => "PPMd",
        _ => $"method {method}",
    };

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long S64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private static void Fill(SafeFileHandle file, Span<byte> bytes, long at)
    {
        for (int read = 0; read < bytes.Length;)
        {
            int count = RandomAccess.Read(file, bytes[read..], at + read);
            if (count == 0)
                throw new IOException("it became shorter while it was read");
            read += count;
        }
    }
}
