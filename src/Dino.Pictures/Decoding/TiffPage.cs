namespace Dino.Pictures.Decoding;

/// <summary>What the samples of a pixel are.</summary>
internal enum TiffColours
{
    Grey,
    InvertedGrey,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
}

/// <summary>What a sample behind the colours is.</summary>
internal enum TiffExtra
{
    None,

    /// <summary>A channel of its own.</summary>
    Unspecified,

    /// <summary>Opacity that the colours are multiplied by.</summary>
    Associated,

    /// <summary>Opacity beside colours as they are.</summary>
    Unassociated,
}

/// <summary>
/// One picture of a TIFF as its directory describes it, checked: sizes are within the limits, and every part of its data lies in the file.
/// </summary>
internal sealed class TiffPage
{
    public const int NoCompression = 1, Ccitt = 2, Group3 = 3, Group4 = 4, Lzw = 5, Jpeg = 7, AdobeDeflate = 8, CcittWords = 32771,
        PackBits = 32773, Deflate = 32946;

    private const int LongestSide = 1_000_000, MostSamples = 4096, MostTableBytes = 1 << 16;

    // Setting a codec up takes its time for each.
    private const int MostPlainParts = 1 << 22, MostParts = 1 << 17, MostJpegParts = 1 << 15;

    // Parts that are not compressed are read in pieces of about so many bytes.
    private const int PieceBytes = 1 << 20;

    // Tiles of a small picture may be much larger than it is.
    private const long SmallestTiles = 16 << 20;

    private readonly TiffFile file;
    private readonly TiffDirectory directory;

    /// <summary>Reads and checks the description of a picture.</summary>
    /// <param name="file">The file.</param>
    /// <param name="directory">The picture's directory.</param>
    /// <param name="maxPixels">The largest picture.</param>
    /// <exception cref="TiffRefusal">It cannot be decoded; the reason says why.</exception>
    public TiffPage(TiffFile file, TiffDirectory directory, int maxPixels)
    {
        (this.file, this.directory) = (file, directory);
        (Width, Height) = Size(maxPixels);
        Samples = Within(directory.Number(TiffField.SamplesPerPixel, 1), MostSamples, "samples a pixel");
        Compression = directory.Number(TiffField.Compression, NoCompression) is var scheme and <= ushort.MaxValue ? (int)scheme : -1;
        if (NameOfUnread(Compression) is { } unread)
            throw new TiffRefusal($"its compression ({unread}) is not supported: convert it to LZW or deflate");
        (Bits, IsFloat, IsSigned) = Numbers();
        Colours = ReadColours();
        Extra = ReadExtra();
        IsPlanar = Samples > 1 && directory.Number(TiffField.PlanarConfiguration, 1) == 2;
        ReversedBits = directory.Number(TiffField.FillOrder, 1) == 2;
        Orientation = directory.Number(TiffField.Orientation, 1) is var turn and >= 1 and <= 8 ? new((int)turn) : Orientation.Upright;
        Predictor = Compression is Lzw or AdobeDeflate or Deflate
            ? (int)Math.Min(int.MaxValue, directory.Number(TiffField.Predictor, 1)) : 1;
        FaxOptions = (int)(directory.Number(Compression == Group4 ? TiffField.T6Options : TiffField.T4Options, 0) & 7);
        SubSampling = ReadSubSampling();
        CheckKind();

        IsTiled = directory.Has(TiffField.TileOffsets) || (directory.Has(TiffField.TileWidth) && !directory.Has(TiffField.StripOffsets));
        long rows = directory.Number(TiffField.RowsPerStrip, Height);
        (PartWidth, PartHeight) = IsTiled
            ? (Within(directory.Number(TiffField.TileWidth, 0), 1 << 20, "pixels in a tile's row"),
                Within(directory.Number(TiffField.TileLength, 0), 1 << 20, "rows in a tile"))
            : (Width, rows < 1 ? throw new TiffRefusal(TiffRefusal.DamagedHeader) : (int)Math.Min(rows, Height));
        CheckParts();
        (Offsets, Counts) = ReadParts();
        if (PartMemory > Array.MaxLength)
            throw new TiffRefusal($"its pieces of {PartWidth} × {PartHeight} pixels are larger than is supported");
    }

    /// <summary>Pixels across, as stored.</summary>
    public int Width { get; }

    /// <summary>Pixels down, as stored.</summary>
    public int Height { get; }

    /// <summary>Samples of a pixel.</summary>
    public int Samples { get; }

    /// <summary>Bits of a sample.</summary>
    public int Bits { get; }

    /// <summary>Whether samples are floating-point numbers.</summary>
    public bool IsFloat { get; }

    /// <summary>Whether samples are whole numbers with a sign.</summary>
    public bool IsSigned { get; }

    /// <summary>The number of the compression.</summary>
    public int Compression { get; }

    /// <summary>What the samples are.</summary>
    public TiffColours Colours { get; }

    /// <summary>What the first sample behind the colours is.</summary>
    public TiffExtra Extra { get; }

    /// <summary>Samples that make up the colour.</summary>
    public int ColourSamples => Colours switch { TiffColours.Rgb or TiffColours.YCbCr => 3, TiffColours.Cmyk => 4, _ => 1 };

    /// <summary>Whether each sample has parts of its own.</summary>
    public bool IsPlanar { get; }

    /// <summary>Whether the first bit of a byte is its lowest.</summary>
    public bool ReversedBits { get; }

    /// <summary>Whether samples begin with their highest byte.</summary>
    public bool IsBigEndian => file.IsBigEndian;

    /// <summary>How to turn it upright.</summary>
    public Orientation Orientation { get; }

    /// <summary>1 for none, 2 for differences of neighbours, 3 for differences of the bytes of floating-point numbers.</summary>
    public int Predictor { get; }

    /// <summary>Variants of the fax codes.</summary>
    public int FaxOptions { get; }

    /// <summary>How many pixels across and down share a colour in Y Cb Cr.</summary>
    public (int Across, int Down) SubSampling { get; }

    /// <summary>Whether its parts are tiles, not strips.</summary>
    public bool IsTiled { get; }

    /// <summary>Pixels across of a part.</summary>
    public int PartWidth { get; }

    /// <summary>Pixels down of a part; the last strip has fewer.</summary>
    public int PartHeight { get; private set; }

    /// <summary>Parts next to each other.</summary>
    public int Across => (Width + PartWidth - 1) / PartWidth;

    /// <summary>Parts below each other.</summary>
    public int Down => (Height + PartHeight - 1) / PartHeight;

    /// <summary>Planes, each with parts of its own.</summary>
    public int Planes => IsPlanar ? Samples : 1;

    /// <summary>Where each part lies: those of a plane row by row, plane by plane.</summary>
    public long[] Offsets { get; }

    /// <summary>Bytes of each part as stored.</summary>
    public long[] Counts { get; }

    /// <summary>Whether the samples of a part come as blocks of pixels that share a colour.</summary>
    public bool HasBlocks => Colours == TiffColours.YCbCr && Compression != Jpeg && SubSampling != (1, 1);

    /// <summary>Bytes of a row of a part, of one plane.</summary>
    public long RowBytes => ((long)PartWidth * (IsPlanar ? 1 : Samples) * Bits + 7) / 8;

    /// <summary>Bytes of a part of one plane, decompressed.</summary>
    public long PartBytes(int rows)
    {
        if (!HasBlocks)
            return rows * RowBytes;
        var (across, down) = SubSampling;
        long blocks = (long)((PartWidth + across - 1) / across) * ((rows + down - 1) / down);
        return blocks * (across * down + 2);
    }

    /// <summary>Rows of the parts that stand at a place from above.</summary>
    public int RowsOf(int down) => IsTiled ? PartHeight : Math.Min(PartHeight, Height - down * PartHeight);

    /// <summary>The colours of a palette, its reds, greens and blues one after the other, in 8 bits.</summary>
    /// <exception cref="TiffRefusal">There is none, or it is too short.</exception>
    public byte[] Palette()
    {
        int colours = 1 << Bits;
        long[] map = directory.Numbers(TiffField.ColorMap, 3L * colours);
        if (map.Length < 3 * colours)
            throw new TiffRefusal("it has no palette");
        // Values of 16 bits, of which the upper byte counts; some programs wrote 8 bits.
        int shift = map.All(value => value < 256) ? 0 : 8;
        return [.. map.Select(value => (byte)(value >> shift))];
    }

    /// <summary>Tables that its JPEG parts have in common, or null.</summary>
    /// <exception cref="TiffRefusal">They are damaged.</exception>
    public byte[]? JpegTables() => directory.Bytes(TiffField.JpegTables, MostTableBytes);

    /// <summary>The shares of red, green and blue in Y.</summary>
    /// <exception cref="TiffRefusal">They are damaged.</exception>
    public float[] LumaCoefficients() => directory.Rationals(TiffField.YCbCrCoefficients, 3) ?? [0.299f, 0.587f, 0.114f];

    /// <summary>The values that stand for black and white in Y, Cb and Cr.</summary>
    /// <exception cref="TiffRefusal">They are damaged.</exception>
    public float[] ReferenceBlackWhite() => directory.Rationals(TiffField.ReferenceBlackWhite, 6) ?? [0, 255, 128, 255, 128, 255];

    /// <summary>Bytes that its parts take while they are decoded: one place as stored and decompressed.</summary>
    public long PartMemory => PartBytes(PartHeight) * (Compression == Jpeg ? 2 : 1) * Planes
        + (Compression == NoCompression ? 0 : Counts.Max());

    private (int Width, int Height) Size(int maxPixels)
    {
        long width = directory.Number(TiffField.ImageWidth, 0), height = directory.Number(TiffField.ImageLength, 0);
        if (width < 1 || height < 1)
            throw new TiffRefusal($"its header states an empty picture of {width} × {height} pixels");
        string states = $"its header states {width} × {height} pixels";
        if (width > maxPixels / height)
            throw new TiffRefusal($"{states}, more than the {maxPixels} that are allowed (`MaxPixels`)");
        if (Math.Max(width, height) > LongestSide)
            throw new TiffRefusal($"{states}; a side of more than {LongestSide} is not decoded");
        return ((int)width, (int)height);
    }

    private static int Within(long number, int most, string what) => number >= 1 && number <= most ? (int)number
        : throw new TiffRefusal($"its header states {number} {what}");

    private (int Bits, bool IsFloat, bool IsSigned) Numbers()
    {
        long[] bits = directory.Numbers(TiffField.BitsPerSample, Samples), formats = directory.Numbers(TiffField.SampleFormat, Samples);
        if (bits.Any(value => value != bits[0]) || formats.Any(value => value != formats[0]))
            throw new TiffRefusal("its samples are of different kinds");
        int width = bits.Length == 0 ? 1 : Within(bits[0], 64, "bits a sample");
        long format = formats.Length == 0 ? 1 : formats[0];
        bool known = format switch
        {
            1 or 4 => width is <= 16 or 32 or 64, // 4: not said
            2 => width is 8 or 16 or 32 or 64,
            3 => width is 16 or 32 or 64,
            _ => false,
        };
        return known ? (width, format == 3, format == 2) : throw new TiffRefusal(
            $"its samples of {width} bits ({(format switch { 1 or 4 => "unsigned", 2 => "signed", 3 => "float", _ => "complex" })}) "
            + "are not supported");
    }

    private TiffColours ReadColours()
    {
        long photometric = directory.Number(TiffField.Photometric, 0);
        var colours = photometric switch
        {
            0 => TiffColours.InvertedGrey,
            1 or 4 => TiffColours.Grey, // 4: a mask
            2 => TiffColours.Rgb,
            3 => TiffColours.Palette,
            5 => TiffColours.Cmyk,
            6 => TiffColours.YCbCr,
            _ => throw new TiffRefusal(photometric switch
            {
                8 or 9 or 10 => "its colours (CIE L*a*b*) are not supported: convert it to RGB",
                32803 or 34892 => "it is a raw camera picture, which is not read: convert it to PNG or JPEG",
                _ => $"its colours (photometric interpretation {photometric}) are not supported: convert it to RGB",
            }),
        };
        // Bands that nobody gave a meaning: three, or three and one more, are colours, as in programs that show them.
        bool bands = colours == TiffColours.Grey && Samples is 3 or 4
            && directory.Numbers(TiffField.ExtraSamples, Samples).All(kind => kind == 0);
        return bands ? TiffColours.Rgb : colours;
    }

    private TiffExtra ReadExtra()
    {
        int extras = Samples - ColourSamples;
        if (extras < 0)
            throw new TiffRefusal(TiffRefusal.DamagedHeader);
        if (extras == 0)
            return TiffExtra.None;
        long[] kinds = directory.Numbers(TiffField.ExtraSamples, Samples);
        if (kinds.Length == 0) // as Pillow takes it
            return Colours == TiffColours.Rgb && extras == 1 ? TiffExtra.Unassociated : TiffExtra.Unspecified;
        return kinds[0] switch { 1 => TiffExtra.Associated, 2 or 999 => TiffExtra.Unassociated, _ => TiffExtra.Unspecified };
    }

    private (int, int) ReadSubSampling()
    {
        if (Colours != TiffColours.YCbCr)
            return (1, 1);
        var (across, down) = directory.Numbers(TiffField.YCbCrSubSampling, 2) is [var x, var y] ? (x, y) : (2, 2);
        return across is 1 or 2 or 4 && down is 1 or 2 or 4 ? ((int)across, (int)down) : throw new TiffRefusal(TiffRefusal.DamagedHeader);
    }

    /// <summary>Refuses what is described without sense, or is more than is supported.</summary>
    private void CheckKind()
    {
        bool fits = Colours switch
        {
            TiffColours.Palette => Bits <= 8 && !IsFloat && !IsSigned,
            TiffColours.Cmyk => Bits is 8 or 16 && !IsFloat && !IsSigned,
            TiffColours.YCbCr => Bits == 8 && Samples == 3 && !IsFloat && !IsSigned && !IsPlanar,
            _ => true,
        };
        if (Compression is Ccitt or Group3 or Group4 or CcittWords)
            fits &= Bits == 1 && (Samples == 1 || IsPlanar);
        if (Compression == Jpeg)
            fits &= Bits == 8 && Colours != TiffColours.Palette;
        fits &= Predictor switch
        {
            1 => true,
            2 => Bits is 8 or 16 or 32 or 64 && !HasBlocks,
            3 => IsFloat,
            _ => false,
        };
        if (!fits)
            throw new TiffRefusal($"its kind ({Samples} samples of {Bits} bits, compression {Compression}, predictor {Predictor}) "
                + "is not supported");
    }

    private void CheckParts()
    {
        long parts = (long)Across * Down * Planes;
        if (parts > Compression switch { NoCompression => MostPlainParts, Jpeg => MostJpegParts, _ => MostParts })
            throw new TiffRefusal($"it is cut into {parts} pieces, more than is supported");
        if (IsTiled && (long)Across * Down * PartWidth * PartHeight > Math.Max(SmallestTiles, 4L * Width * Height))
            throw new TiffRefusal($"its tiles of {PartWidth} × {PartHeight} are far larger than its {Width} × {Height} pixels");
    }

    private (long[] Offsets, long[] Counts) ReadParts()
    {
        int parts = Across * Down * Planes;
        long[] offsets = directory.Numbers(IsTiled ? TiffField.TileOffsets : TiffField.StripOffsets, parts);
        if (offsets.Length < parts)
            throw new TiffRefusal(TiffRefusal.DamagedHeader);
        if (Compression == NoCompression)
            return Pieces(offsets);

        long[] counts = directory.Numbers(IsTiled ? TiffField.TileByteCounts : TiffField.StripByteCounts, parts);
        if (counts.Length == 0 && parts == 1)
            counts = [file.Length - offsets[0]]; // some programs left it out
        if (counts.Length < parts)
            throw new TiffRefusal(TiffRefusal.DamagedHeader);
        long sum = 0;
        for (int i = 0; i < parts; i++)
        {
            if (counts[i] < 1 || offsets[i] < 8)
                throw new TiffRefusal("parts of it are missing");
            if (offsets[i] > file.Length || counts[i] > file.Length - offsets[i])
                throw new TiffRefusal(TiffRefusal.Truncated);
            sum += counts[i];
        }
        // Parts that are alike may share their bytes, but reading them must not take for ever.
        return sum <= 4 * file.Length + SmallestTiles ? (offsets, counts) : throw new TiffRefusal(TiffRefusal.DamagedHeader);
    }

    /// <summary>What is not compressed is as long as it must be, whatever its counts say; a large single strip is read in pieces.</summary>
    private (long[] Offsets, long[] Counts) Pieces(long[] offsets)
    {
        int height = PartHeight, down = Down;
        if (!IsTiled && !HasBlocks && down == 1 && height * RowBytes > 4 * PieceBytes)
            PartHeight = (int)Math.Clamp(PieceBytes / RowBytes, 1, height);
        int pieces = (height + PartHeight - 1) / PartHeight;
        var (from, counts) = (new List<long>(), new List<long>());
        for (int i = 0; i < offsets.Length; i++)
        {
            int rows = IsTiled ? height : Math.Min(height, Height - i % down * height);
            if (offsets[i] < 8)
                throw new TiffRefusal("parts of it are missing");
            if (offsets[i] > file.Length - PartBytes(rows))
                throw new TiffRefusal(TiffRefusal.Truncated);
            for (int piece = 0; piece < pieces && piece * PartHeight < rows; piece++)
            {
                from.Add(offsets[i] + PartBytes(piece * PartHeight));
                counts.Add(PartBytes(Math.Min(PartHeight, rows - piece * PartHeight)));
            }
        }
        return ([.. from], [.. counts]);
    }

    private static string? NameOfUnread(int compression) => compression switch
    {
        NoCompression or Ccitt or Group3 or Group4 or Lzw or Jpeg or AdobeDeflate or CcittWords or PackBits or Deflate => null,
        6 => "JPEG of the old kind",
        33003 or 33005 or 34712 => "JPEG 2000",
        34661 => "JBIG",
        34676 or 34677 => "SGI log",
        34887 => "LERC",
        34925 => "LZMA",
        50000 or 34926 => "Zstandard",
        50001 or 34927 => "WebP",
        50002 or 52546 => "JPEG XL",
        _ => $"number {compression}",
    };
}
