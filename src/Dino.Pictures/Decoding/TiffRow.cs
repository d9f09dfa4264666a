namespace Dino.Pictures.Decoding;

/// <summary>One row of a decompressed part of a TIFF, as far as it lies in the picture.</summary>
internal readonly ref struct TiffRow
{
    private readonly TiffPage page;
    private readonly ReadOnlySpan<byte> part;
    private readonly int row, rows;

    /// <summary>A row of what <see cref="TiffParts.Read"/> gives.</summary>
    public TiffRow(TiffPage page, ReadOnlySpan<byte> part, int across, int down, int row)
    {
        (this.page, this.row) = (page, row);
        this.part = part;
        rows = page.RowsOf(down);
        (X, Y) = (across * page.PartWidth, down * page.PartHeight + row);
        Pixels = Math.Min(page.PartWidth, page.Width - X);
    }

    /// <summary>Where it begins in the picture as stored.</summary>
    public int X { get; }

    /// <summary>Its row in the picture as stored.</summary>
    public int Y { get; }

    /// <summary>Its pixels.</summary>
    public int Pixels { get; }

    /// <summary>Its samples in 8 bits, (pixels, samples); see <see cref="TiffSamples.ToBytes"/>.</summary>
    public void ToBytes(Span<byte> samples)
    {
        if (page.HasBlocks)
        {
            FromBlocks(samples);
            return;
        }
        for (int plane = 0; plane < page.Planes; plane++)
            TiffSamples.ToBytes(page, Line(plane), samples[plane..], page.Planes);
    }

    /// <summary>Its samples as they are, (pixels, samples).</summary>
    public void ToFloats(Span<float> samples)
    {
        for (int plane = 0; plane < page.Planes; plane++)
            TiffSamples.ToFloats(page, Line(plane), samples[plane..], page.Planes);
    }

    private ReadOnlySpan<byte> Line(int plane)
    {
        int width = (int)page.RowBytes;
        return part.Slice((plane * rows + row) * width, width);
    }

    /// <summary>Y of each pixel, then Cb and Cr of all, block by block (TIFF 6.0, section 21).</summary>
    private void FromBlocks(Span<byte> samples)
    {
        var (across, down) = page.SubSampling;
        int size = across * down + 2, line = (page.PartWidth + across - 1) / across * size * (row / down);
        for (int x = 0; x < Pixels; x++)
        {
            var block = part.Slice(line + x / across * size, size);
            samples[3 * x] = block[row % down * across + x % across];
            samples[3 * x + 1] = block[^2];
            samples[3 * x + 2] = block[^1];
        }
    }
}
