using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Dino.Tensors.Io;
using Microsoft.Win32.SafeHandles;

namespace Dino.Pictures.Archives;

/// <summary>
/// The files of a tar archive and where they lie in it (POSIX.1-2024, pax; with GNU's long names). Only headers are read.
/// </summary>
internal sealed class TarListing
{
    private const int Block = 512, MostHeader = 1 << 20, MostPadding = 1 << 20;

    private readonly SafeFileHandle file;
    private readonly long length;
    private readonly Action<string, string> skip;
    private readonly MemberList members = new();
    private readonly byte[] block = new byte[Block];

    // What an extended header says of the file behind it.
    private string? longName, longLink;
    private Dictionary<string, string> pax = [];
    private readonly Dictionary<string, string> paxOfAll = [];

    private TarListing(SafeFileHandle file, Action<string, string> skip) =>
        (this.file, length, this.skip) = (file, RandomAccess.GetLength(file), skip);

    /// <summary>Whether a file that begins so is a tar archive: its first header is one.</summary>
    public static bool Recognises(ReadOnlySpan<byte> head) => head.Length >= Block && IsHeader(head[..Block]);

    /// <summary>Lists an archive.</summary>
    /// <param name="file">The archive.</param>
    /// <param name="skip">Is told of files that cannot be read: name and reason.</param>
    /// <param name="cancel">Stops between two files.</param>
    /// <exception cref="InvalidDataException">It is damaged; the message says where.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ArchiveListing Of(SafeFileHandle file, Action<string, string> skip, CancellationToken cancel = default) =>
        new TarListing(file, skip).List(cancel);

    private ArchiveListing List(CancellationToken cancel)
    {
        if (length == 0)
            throw new InvalidDataException("it is empty");
        bool ended = false, cut = false, more = false;
        for (long at = 0; at < length && !ended && !cut;)
        {
            cancel.ThrowIfCancellationRequested();
            cut = length - at < Block;
            if (cut && at == 0)
                throw new InvalidDataException("it is shorter than a header of a tar archive");
            if (cut)
                break;
            Fill(block, at);
            if (block.AsSpan().IndexOfAnyExcept((byte)0) < 0)
                (ended, more) = (true, HasMore(at));
            else if (!IsHeader(block))
                throw new InvalidDataException(at == 0 ? "it does not begin with a header of a tar archive"
                    : $"at byte {at} there is no header: it is damaged there");
            else
                cut = !TryTake(ref at);
        }
        return ArchiveListing.Of(members, !ended ? ["it ends without the mark of its end: it may be cut short"] : !more ? []
            : ["another archive follows the mark of its end, and is not read: where several were joined to one file, name each by itself"]);
    }

    /// <summary>Whether another archive stands behind the zeros that fill up the last record, as <c>cat</c> puts it there.</summary>
    private bool HasMore(long at)
    {
        for (long last = Math.Min(length - Block, at + MostPadding); at <= last; at += Block)
        {
            Fill(block, at);
            if (block.AsSpan().IndexOfAnyExcept((byte)0) >= 0)
                return IsHeader(block);
        }
        return false;
    }

    /// <summary>Takes in the file whose header was read, and goes on behind it; false if the archive ends within it.</summary>
    private bool TryTake(ref long at)
    {
        char type = (char)block[156];
        long size = Number(124, 12, at), data = at + Block;
        if (type is 'x' or 'g' or 'L' or 'K')
        {
            if (size > MostHeader)
                throw new InvalidDataException($"at byte {at} a header has {size} bytes; at most {MostHeader} are read");
            if (size > length - data)
                return false;
            byte[] text = new byte[size];
            Fill(text, data);
            Extend(type, text, at);
            at = data + Padded(size);
            return true;
        }

        // An archive that names the size twice means the second, which has no limit.
        if (Pax("size") is { } stated)
            size = long.TryParse(stated, NumberStyles.None, CultureInfo.InvariantCulture, out long wide) ? wide
                : throw new InvalidDataException($"at byte {at} a file's size is '{RawName.Shown(stated)}'");
        if (type == 'S')
        {
            for (bool more = block[482] != 0; more; more = block[504] != 0)
            {
                if (length - data < Block)
                    return false;
                Fill(block, data);
                data += Block;
            }
        }
        string raw = Pax("path") ?? longName ?? Name(at), name = MemberList.Clean(raw);
        // Links, folders and devices have no data, whatever their size says.
        bool hasData = type is not ('1' or '2' or '3' or '4' or '5' or '6');
        if (hasData && size > length - data)
        {
            skip(name, $"the archive ends within it: {length - data} of its {size} bytes are there");
            return false;
        }
        Add(type, raw, name, data, size, at);
        (longName, longLink, pax) = (null, null, []);
        at = hasData ? data + Padded(size) : data;
        return true;
    }

    private void Add(char type, string raw, string name, long data, long size, long at)
    {
        switch (type)
        {
            case 'S':
                skip(name, "it is kept with holes (a sparse file), which is not read");
                break;
            case '0' or '\0' or '7' when !raw.EndsWith('/'):
                if (pax.Keys.Any(key => key.StartsWith("GNU.sparse.", StringComparison.Ordinal)))
                    skip(MemberList.Clean(Pax("GNU.sparse.name") ?? name), "it is kept with holes (a sparse file), which is not read");
                else
                    members.Add(new ArchiveMember(name, data, size, size, Time(at)));
                break;
            case '1':
                // The same file by a second name; its data stand at the first.
                string target = MemberList.Clean(Pax("linkpath") ?? longLink ?? Text(block.AsSpan(157, 100)));
                if (members.Find(target) is { } known)
                    members.Add(known with { Name = name });
                else
                    skip(name, $"it is a link to {RawName.Shown(target)}, which does not stand before it in the archive");
                break;
            case '2':
                skip(name, "it is a link; links in archives are not followed");
                break;
            default:
                break; // folders, devices, labels of volumes
        }
    }

    private void Extend(char type, byte[] text, long at)
    {
        switch (type)
        {
            case 'L':
                longName = Text(text);
                break;
            case 'K':
                longLink = Text(text);
                break;
            default:
                var into = type == 'g' ? paxOfAll : pax = [];
                foreach (var (key, value) in Records(text, at))
                    into[key] = value;
                break;
        }
    }

    /// <summary>The records of an extended header: "27 path=…\n", where the number counts all of it.</summary>
    private static IEnumerable<(string Key, string Value)> Records(byte[] text, long at)
    {
        for (int i = 0; i < text.Length && text[i] != 0;)
        {
            if (!Utf8Parser.TryParse(text.AsSpan(i), out int count, out int digits) || count <= digits + 1 || count > text.Length - i
                || text[i + digits] != ' ' || text[i + count - 1] != '\n')
                throw new InvalidDataException($"at byte {at} an extended header is damaged");
            var record = text.AsSpan(i + digits + 1, count - digits - 2);
            int equals = record.IndexOf((byte)'=');
            if (equals < 0)
                throw new InvalidDataException($"at byte {at} an extended header is damaged");
            yield return (RawName.Of(record[..equals]), RawName.Of(record[(equals + 1)..]));
            i += count;
        }
    }

    private string? Pax(string key) => pax.TryGetValue(key, out string? own) || paxOfAll.TryGetValue(key, out own) ? own : null;

    private string Name(long at)
    {
        string name = Text(block.AsSpan(0, 100));
        // Older formats keep other things where POSIX has the first part of a long name.
        string prefix = block.AsSpan(257, 6).SequenceEqual("ustar\0"u8) ? Text(block.AsSpan(345, 155)) : "";
        name = prefix.Length > 0 ? $"{prefix}/{name}" : name;
        return name.Length > 0 ? name : throw new InvalidDataException($"at byte {at} a file has no name");
    }

    private long Time(long at)
    {
        const long mostSeconds = 253_402_300_799; // the end of the year 9999
        long seconds = Pax("mtime") is { } text && double.TryParse(text, CultureInfo.InvariantCulture, out double exact)
            ? (long)Math.Clamp(exact, 0, mostSeconds) : Math.Min(Number(136, 12, at, 0), mostSeconds);
        return DateTime.UnixEpoch.Ticks + seconds * TimeSpan.TicksPerSecond;
    }

    /// <summary>A number of the header: octal digits, or where the first bit is set the bytes themselves.</summary>
    private long Number(int place, int count, long at, long? otherwise = null)
    {
        var field = block.AsSpan(place, count);
        long value = 0;
        if (field[0] == 0x80)
        {
            foreach (byte part in field[1..])
            {
                if (value > long.MaxValue >> 8)
                    return otherwise ?? throw new InvalidDataException($"at byte {at} a number of the header is too large");
                value = value << 8 | part;
            }
            return value;
        }
        var digits = field.Trim(" \0"u8);
        if (digits.IndexOfAnyExceptInRange((byte)'0', (byte)'7') >= 0)
            return otherwise ?? throw new InvalidDataException($"at byte {at} a number of the header is damaged");
        foreach (byte digit in digits)
            value = value * 8 + (digit - '0');
        return value;
    }

    private static bool IsHeader(ReadOnlySpan<byte> block)
    {
        int stated = 0, digits = 0;
        foreach (byte digit in block.Slice(148, 8).Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
                return false;
            stated = stated * 8 + (digit - '0');
            digits++;
        }
        // Some old programs added the bytes as numbers with a sign.
        int sum = 8 * ' ', signed = 8 * ' ';
        for (int i = 0; i < Block; i++)
        {
            if (i is >= 148 and < 156)
                continue;
            sum += block[i];
            signed += (sbyte)block[i];
        }
        return digits > 0 && (stated == sum || stated == signed);
    }

    private static string Text(ReadOnlySpan<byte> field) => RawName.Of(field.IndexOf((byte)0) is >= 0 and var end ? field[..end] : field);

    private static long Padded(long size) => size + (Block - size % Block) % Block;

    private void Fill(Span<byte> bytes, long at)
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
