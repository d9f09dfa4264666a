namespace Dino.Pictures.Decoding;

/// <summary>One directory of a TIFF: the fields of one picture. Values are read when asked for.</summary>
internal sealed class TiffDirectory
{
    // Cameras write some hundreds.
    private const int MostFields = 4096;

    private readonly TiffFile file;
    private readonly Dictionary<TiffField, Field> fields = [];

    /// <summary>Reads the directory at an offset.</summary>
    /// <exception cref="TiffRefusal">It does not lie in the file, or has more fields than anybody writes.</exception>
    public TiffDirectory(TiffFile file, long offset)
    {
        this.file = file;
        Span<byte> number = stackalloc byte[8];
        var count = file.IsBig ? number : number[..2];
        file.Fill(count, offset);
        long entries = file.IsBig ? file.UInt64(count) : file.UInt16(count);
        if (entries is 0 or > MostFields)
            throw new TiffRefusal(TiffRefusal.DamagedHeader);
        int width = file.IsBig ? 20 : 12, place = file.IsBig ? 8 : 4;
        byte[] bytes = new byte[entries * width];
        offset += count.Length;
        file.Fill(bytes, offset);
        for (int at = 0; at < bytes.Length; at += width)
        {
            var entry = bytes.AsSpan(at, width);
            int size = Size(file.UInt16(entry[2..]));
            long values = file.Offset(entry[4..]);
            // The value itself, where it fits into its place; else where it lies.
            bool fits = size > 0 && values <= place / size;
            long from = fits ? offset + at + width - place : file.Offset(entry[(width - place)..]);
            fields.TryAdd((TiffField)file.UInt16(entry), new Field(file.UInt16(entry[2..]), values, from));
        }
        // The last directory of a file that was cut off behind it has no successor.
        var next = number[..place];
        offset += bytes.Length;
        if (offset > file.Length - place)
            return;
        file.Fill(next, offset);
        Next = file.Offset(next);
    }

    /// <summary>Where the next directory lies; 0 after the last.</summary>
    public long Next { get; }

    /// <summary>Whether it is a picture in full, not a smaller copy or a mask of another.</summary>
    public bool IsFullPicture
    {
        get
        {
            try
            {
                return (Number(TiffField.NewSubfileType, 0) & 0b101) == 0 && Number(TiffField.SubfileType, 1) != 2;
            }
            catch (TiffRefusal)
            {
                return true; // it is refused when it is read
            }
        }
    }

    /// <summary>Whether a field is there.</summary>
    public bool Has(TiffField tag) => fields.ContainsKey(tag);

    /// <summary>How many values a field has; 0 where it is not there.</summary>
    public long Count(TiffField tag) => fields.TryGetValue(tag, out var field) ? field.Count : 0;

    /// <summary>The first value of a field, or another where it is not there.</summary>
    /// <exception cref="TiffRefusal">It is no whole number, or lies outside the file.</exception>
    public long Number(TiffField tag, long otherwise) => Has(tag) && Numbers(tag, 1) is [var number] ? number : otherwise;

    /// <summary>The first values of a field, as many as it has up to a number; empty where it is not there.</summary>
    /// <inheritdoc cref="Number"/>
    public long[] Numbers(TiffField tag, long most)
    {
        if (!fields.TryGetValue(tag, out var field))
            return [];
        int size = Size(field.Type);
        if (field.Type is not (1 or 3 or 4 or 6 or 8 or 9 or 13 or 16 or 17 or 18))
            throw new TiffRefusal(TiffRefusal.DamagedHeader);
        byte[] bytes = Bytes(field, size, most);
        long[] numbers = new long[bytes.Length / size];
        for (int i = 0; i < numbers.Length; i++)
        {
            var value = bytes.AsSpan(i * size, size);
            numbers[i] = size switch { 1 => value[0], 2 => file.UInt16(value), 4 => file.UInt32(value), _ => file.UInt64(value) };
        }
        return numbers;
    }

    /// <summary>A field's quotients; null where it has not so many.</summary>
    /// <inheritdoc cref="Number"/>
    public float[]? Rationals(TiffField tag, int count)
    {
        if (!fields.TryGetValue(tag, out var field) || field.Type is not (5 or 10) || field.Count < count)
            return null;
        byte[] bytes = Bytes(field, 8, count);
        float[] quotients = new float[count];
        for (int i = 0; i < count; i++)
        {
            uint over = file.UInt32(bytes.AsSpan(8 * i)), under = file.UInt32(bytes.AsSpan(8 * i + 4));
            quotients[i] = under == 0 ? 0 : field.Type == 5 ? (float)((double)over / under) : (float)((double)(int)over / (int)under);
        }
        return quotients;
    }

    /// <summary>The bytes of a field.</summary>
    /// <exception cref="TiffRefusal">They are more than may be, or lie outside the file.</exception>
    public byte[]? Bytes(TiffField tag, int most)
    {
        if (!fields.TryGetValue(tag, out var field))
            return null;
        return Size(field.Type) == 1 && field.Count <= most ? Bytes(field, 1, most) : throw new TiffRefusal(TiffRefusal.DamagedHeader);
    }

    private byte[] Bytes(Field field, int size, long most)
    {
        long count = Math.Min(field.Count, most);
        if (count > (file.Length - field.From) / size)
            throw new TiffRefusal(TiffRefusal.Truncated);
        byte[] bytes = new byte[count * size];
        file.Fill(bytes, field.From);
        return bytes;
    }

    /// <summary>Bytes of a value, by the number of its type; 0 for one that is not known.</summary>
    private static int Size(int type) => type switch
    {
        1 or 2 or 6 or 7 => 1,
        3 or 8 => 2,
        4 or 9 or 11 or 13 => 4,
        5 or 10 or 12 or 16 or 17 or 18 => 8,
        _ => 0,
    };

    private readonly record struct Field(int Type, long Count, long From);
}
