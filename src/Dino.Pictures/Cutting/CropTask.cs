namespace Dino.Pictures.Cutting;

/// <summary>
/// How one crop is made of its picture: numbers that were drawn on the host, written as <see cref="Words"/> words beside the picture they
/// are about. Addresses are indices of words into the same block.
/// </summary>
internal readonly record struct CropTask
{
    /// <summary>Words that a task takes.</summary>
    public const int Words = 24;

    /// <summary>A <see cref="Hue"/> that leaves colours alone: a turn by 0 goes to 8-bit hues and back, and loses some.</summary>
    public const int NoHue = 256;

    /// <summary>A <see cref="Solarize"/> that no value reaches.</summary>
    public const int NoSolarize = 256;

    /// <summary>The widest <see cref="BlurWhole"/>.</summary>
    public const int MostBlurWhole = FinishKernel.MaxReach - 1;

    internal const int PictureAt = 0, StrideAt = 1, FirstByteAt = 2, RowsAt = 3, SizeAt = 4, ColumnTapsAt = 5, ColumnReachAt = 6,
        RowTapsAt = 7,
        RowReachAt = 8, FlipAt = 9, OrderAt = 10, BrightnessAt = 11, ContrastAt = 12, SaturationAt = 13, HueAt = 14, GrayscaleAt = 15,
        WholeAt = 16, FullAt = 17, EdgeAt = 18, SolarizeAt = 19, VerticalFlipAt = 20;

    /// <summary>The address of the picture's bytes: rows of R, G, B, without gaps. A word behind them is read, too.</summary>
    public int Picture { get; init; }

    /// <summary>Bytes from a row of the picture to the next.</summary>
    public int Stride { get; init; }

    /// <summary>The byte of the picture at which the box begins: its left end in the first row that the resize reads.</summary>
    public int FirstByte { get; init; }

    /// <summary>Rows of the picture that the resize reads.</summary>
    public int Rows { get; init; }

    /// <summary>Side of the crop in pixels.</summary>
    public int Size { get; init; }

    /// <summary>
    /// The address of the taps along a row: for each of <see cref="Size"/> columns the first pixel of the box, then for each the number of
    /// taps, then for each <see cref="ColumnReach"/> weights of 22 fractional bits.
    /// </summary>
    public int ColumnTaps { get; init; }

    /// <summary>The most taps of a column.</summary>
    public int ColumnReach { get; init; }

    /// <summary>The same along a column; first rows are counted from the first that is read.</summary>
    public int RowTaps { get; init; }

    /// <summary>The most taps of a row.</summary>
    public int RowReach { get; init; }

    /// <summary>Whether left and right change places.</summary>
    public bool Flip { get; init; }

    /// <summary>Whether top and bottom change places.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>
    /// The colour operations in their order, two bits each from the lowest on (0 brightness, 1 contrast, 2 saturation, 3 hue), all four of
    /// them; or -1 for none.
    /// </summary>
    public int Order { get; init; }

    /// <summary>Brightness factor.</summary>
    public float Brightness { get; init; }

    /// <summary>Contrast factor.</summary>
    public float Contrast { get; init; }

    /// <summary>Saturation factor.</summary>
    public float Saturation { get; init; }

    /// <summary>What is added to the hue, in 256ths of a circle; or <see cref="NoHue"/>.</summary>
    public int Hue { get; init; }

    /// <summary>Whether the colours go.</summary>
    public bool Grayscale { get; init; }

    /// <summary>
    /// Neighbours on either side that the blur's box counts in full, at most <see cref="MostBlurWhole"/>; -1 for no blur.
    /// </summary>
    public int BlurWhole { get; init; }

    /// <summary>The weight of those, in 24 fractional bits.</summary>
    public uint BlurFull { get; init; }

    /// <summary>The weight of one more neighbour on either side.</summary>
    public uint BlurEdge { get; init; }

    /// <summary>The value from which on values are turned around; or <see cref="NoSolarize"/>.</summary>
    public int Solarize { get; init; }

    /// <summary>Writes the words.</summary>
    public void WriteTo(Span<int> words)
    {
        words[PictureAt] = Picture;
        words[StrideAt] = Stride;
        words[FirstByteAt] = FirstByte;
        words[RowsAt] = Rows;
        words[SizeAt] = Size;
        words[ColumnTapsAt] = ColumnTaps;
        words[ColumnReachAt] = ColumnReach;
        words[RowTapsAt] = RowTaps;
        words[RowReachAt] = RowReach;
        words[FlipAt] = Flip ? 1 : 0;
        words[OrderAt] = Order;
        words[BrightnessAt] = BitConverter.SingleToInt32Bits(Brightness);
        words[ContrastAt] = BitConverter.SingleToInt32Bits(Contrast);
        words[SaturationAt] = BitConverter.SingleToInt32Bits(Saturation);
        words[HueAt] = Hue;
        words[GrayscaleAt] = Grayscale ? 1 : 0;
        words[WholeAt] = BlurWhole;
        words[FullAt] = (int)BlurFull;
        words[EdgeAt] = (int)BlurEdge;
        words[SolarizeAt] = Solarize;
        words[VerticalFlipAt] = VerticalFlip ? 1 : 0;
    }

    /// <summary>Whether these words are the task of a crop, and what they point to lies in the block.</summary>
    internal static bool Fits(ReadOnlySpan<int> words, CropEntry crop, int blockWords)
    {
        long size = words[SizeAt], rows = words[RowsAt];
        long lastRow = 4L * words[PictureAt] + words[FirstByteAt] + (rows - 1) * words[StrideAt];
        return words[WholeAt] <= MostBlurWhole && size == crop.Size && rows == crop.Rows
            && words[PictureAt] >= 0 && words[FirstByteAt] >= 0 && words[StrideAt] >= 0 && lastRow < 4L * blockWords
            && HasTaps(words[ColumnTapsAt], words[ColumnReachAt]) && HasTaps(words[RowTapsAt], words[RowReachAt]);

        bool HasTaps(int at, int reach) => at >= 0 && reach >= 0 && at + size * (2L + reach) <= blockWords;
    }
}
