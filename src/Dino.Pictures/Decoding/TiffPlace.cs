namespace Dino.Pictures.Decoding;

/// <summary>Where the pixels of a picture as it is stored belong in the upright one.</summary>
internal readonly struct TiffPlace
{
    private readonly int start, down;

    public TiffPlace(TiffPage page)
    {
        bool transposed = page.Orientation.IsTransposed;
        (Width, Height) = transposed ? (page.Height, page.Width) : (page.Width, page.Height);
        // Whether the stored row runs against the upright direction that it lies in, and the stored column.
        var (rowBack, columnBack) = (page.Orientation.AgainstX, page.Orientation.AgainstY);
        if (transposed)
            (rowBack, columnBack) = (columnBack, rowBack);
        (int row, int column) = transposed ? (Width, 1) : (1, Width);
        (Step, down) = (rowBack ? -row : row, columnBack ? -column : column);
        start = (rowBack ? (page.Width - 1) * row : 0) + (columnBack ? (page.Height - 1) * column : 0);
    }

    /// <summary>Pixels across, upright.</summary>
    public int Width { get; }

    /// <summary>Pixels down, upright.</summary>
    public int Height { get; }

    /// <summary>From a pixel to the next of its stored row.</summary>
    public int Step { get; }

    /// <summary>The place of a stored pixel among all of the upright picture.</summary>
    public int Index(int x, int y) => start + x * Step + y * down;
}
