namespace Dino.Pictures.Decoding;

/// <summary>How a PBM, PGM, PPM or PAM file starts (the netpbm formats, P1 … P7).</summary>
/// <param name="Picture">Size and channels.</param>
/// <param name="Kind">The digit behind the P.</param>
/// <param name="Highest">The number that is white; 1 of bitmaps.</param>
/// <param name="DataStart">Where the pixels begin.</param>
internal readonly record struct PnmHeader(PictureHeader Picture, int Kind, int Highest, int DataStart)
{
    private const int LongestNumber = 10, Most = 65535, MostChannels = 64;

    /// <summary>Whether the numbers are written as text.</summary>
    public bool IsPlain => Kind is >= 1 and <= 3;

    /// <summary>Whether a pixel is a bit, and 1 is black.</summary>
    public bool IsBitmap => Kind is 1 or 4;

    /// <summary>Bytes of all pixels where they are not text.</summary>
    public long DataBytes => Kind == 4 ? (Picture.Width + 7) / 8 * Picture.Height
        : Picture.Pixels * Picture.Channels * (Highest > 255 ? 2 : 1);

    /// <summary>Whether a file that starts so is one: a text may begin with P1, too.</summary>
    public static bool Matches(ReadOnlySpan<byte> start)
    {
        if (start.Length < 4 || start[0] != 'P' || start[1] is < (byte)'1' or > (byte)'7' || !IsSpace(start[2]))
            return false;
        int at = 3;
        while (at < start.Length && IsSpace(start[at]))
            at++;
        if (at == start.Length)
            return true;
        return start[at] == '#' || (start[1] == '7' ? start[at] is (byte)'W' or (byte)'H' or (byte)'D' or (byte)'M' or (byte)'T'
            : char.IsAsciiDigit((char)start[at]));
    }

    /// <summary>The header in the first bytes of a file; null if it is not whole, or makes no sense.</summary>
    public static PnmHeader? Read(ReadOnlySpan<byte> file)
    {
        if (!Matches(file))
            return null;
        int kind = file[1] - '0', at = 3;
        if (kind == 7)
            return ReadPam(file);
        if (!TryNumber(file, ref at, out int width) || !TryNumber(file, ref at, out int height))
            return null;
        int highest = 1;
        if (kind is not (1 or 4) && !TryNumber(file, ref at, out highest))
            return null;
        return Make(kind, width, height, kind is 3 or 6 ? 3 : 1, highest, at, hasOpacity: false);
    }

    private static PnmHeader? Make(int kind, int width, int height, int channels, int highest, int at, bool hasOpacity)
    {
        if (width < 1 || height < 1 || highest is < 1 or > Most)
            return null;
        var picture = new PictureHeader(PictureFormat.Pnm, width, height)
        {
            Channels = channels,
            Bits = highest > 255 ? 16 : 8,
            HasOpacity = hasOpacity,
        };
        return new PnmHeader(picture, kind, highest, at);
    }

    // Lines of a word and its value, up to ENDHDR.
    private static PnmHeader? ReadPam(ReadOnlySpan<byte> file)
    {
        int width = 0, height = 0, channels = 0, highest = 0;
        for (int at = 3; at < file.Length;)
        {
            int end = file[at..].IndexOf((byte)'\n');
            if (end < 0)
                return null;
            var line = file.Slice(at, end).Trim(" \t\r"u8);
            at += end + 1;
            if (line.SequenceEqual("ENDHDR"u8))
                return channels is < 1 or > MostChannels ? null
                    : Make(7, width, height, channels, highest, at, hasOpacity: channels is 2 or 4);
            int space = line.IndexOfAny((byte)' ', (byte)'\t');
            if (line.IsEmpty || line[0] == '#' || space < 0)
                continue;
            int start = space;
            if (!TryNumber(line, ref start, out int value))
                continue; // TUPLTYPE, whose value is a word
            var word = line[..space];
            if (word.SequenceEqual("WIDTH"u8))
                width = value;
            else if (word.SequenceEqual("HEIGHT"u8))
                height = value;
            else if (word.SequenceEqual("DEPTH"u8))
                channels = value;
            else if (word.SequenceEqual("MAXVAL"u8))
                highest = value;
        }
        return null;
    }

    /// <summary>The next number of a text, with the one white space behind it; comments are passed over.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> file, ref int at, out int number)
    {
        number = 0;
        int digits = 0;
        for (; at < file.Length; at++)
        {
            byte next = file[at];
            if (next == '#')
            {
                int end = file[at..].IndexOfAny((byte)'\n', (byte)'\r');
                if (end < 0)
                    return false;
                at += end; // the loop passes over the end of the line
                continue;
            }
            if (IsSpace(next))
            {
                if (digits == 0)
                    continue;
                at++;
                return true;
            }
            if (!char.IsAsciiDigit((char)next) || ++digits > LongestNumber || number > (int.MaxValue - 9) / 10)
                return false;
            number = 10 * number + (next - '0');
        }
        return digits > 0;
    }

    /// <summary>What stands between two numbers.</summary>
    public static bool IsSpace(byte value) => value is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r');
}
