namespace Dino.Pictures.Decoding;

/// <summary>
/// JPEG parts in Y Cb Cr to RGB, by the codec that reads JPEG files, whose pixels are Pillow's: LibTiff's own makes colours that are
/// halved coarser.
/// </summary>
/// <param name="tables">Tables that the parts have in common, a JPEG of nothing else; or null.</param>
internal sealed class TiffJpeg(byte[]? tables) : IDisposable
{
    // Adobe's marker, which says that the three components are Y Cb Cr, whatever their names.
    private static readonly byte[] start = [0xFF, 0xD8, 0xFF, 0xEE, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 1];

    private readonly NativeBuffer file = new(), rows = new();
    private readonly RgbImage picture = new();

    /// <summary>Decodes a part.</summary>
    /// <param name="jpeg">Its bytes.</param>
    /// <param name="header">What they say of it.</param>
    /// <param name="rgb">Receives (height, width, 3).</param>
    /// <returns>Whether it is whole.</returns>
    public bool Decode(ReadOnlySpan<byte> jpeg, PictureHeader header, Span<byte> rgb)
    {
        ReadOnlySpan<byte> common = tables is { Length: > 4 } ? tables.AsSpan(2, tables.Length - 4) : [];
        int length = start.Length + common.Length + jpeg.Length - 2;
        file.Reserve((nuint)length);
        var whole = file.Span(length);
        start.CopyTo(whole);
        common.CopyTo(whole[start.Length..]);
        jpeg[2..].CopyTo(whole[(start.Length + common.Length)..]);
        var fault = SkiaCodec.Decode(file.Address, length, header, new DecodeLimits((int)header.Pixels), Orientation.Upright,
            opacity: false, picture, rows);
        if (fault is not null || picture.Pixels.Length != rgb.Length)
            return false;
        picture.Pixels.CopyTo(rgb);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        file.Dispose();
        rows.Dispose();
    }
}
