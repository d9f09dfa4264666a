using System.Buffers;
using System.IO.Compression;
using BitMiracle.LibTiff.Classic;

namespace Dino.Pictures.Decoding;

/// <summary>
/// The strips and tiles of a picture, decompressed: the only file that names LibTiff. It is given a small file of our own that describes
/// the parts and nothing else, so that whatever a stranger's directories say never reaches it; byte order and predictor are ours.
/// </summary>
internal sealed class TiffParts : IDisposable
{
    // An encoder makes about ten scans of a progressive JPEG.
    private const int MostScans = 20;

    // A line of a fax may be too short; where one in so many is, there are no data.
    private const int MostWrongRows = 10;

    private readonly TiffFile file;
    private readonly TiffPage page;
    private readonly Tiff? codec;
    private readonly TiffJpeg? jpeg;
    private byte[] data = [], stored = [];
    private bool hasFailed;
    private int wrongRows;

    public TiffParts(TiffFile file, TiffPage page)
    {
        (this.file, this.page) = (file, page);
        if (page.Compression is TiffPage.NoCompression or TiffPage.Deflate or TiffPage.AdobeDeflate)
            return;
        byte[]? tables = page.Compression == TiffPage.Jpeg ? page.JpegTables() : null;
        if (page.Compression == TiffPage.Jpeg && page.Colours == TiffColours.YCbCr)
        {
            jpeg = new TiffJpeg(tables);
            return;
        }
        TiffMessages.Listen();
        codec = Guarded(() => Tiff.ClientOpen("", "rc", this, new PartStream(this, TiffOfParts.Write(page, tables))))
            ?? throw new TiffRefusal(TiffRefusal.DamagedHeader);
    }

    /// <summary>
    /// Reads the parts of all planes at a place. Samples are in this machine's byte order, rows as <see cref="TiffPage.RowBytes"/> says,
    /// planes one after the other; valid until the next call.
    /// </summary>
    /// <exception cref="TiffRefusal">They are damaged.</exception>
    public ReadOnlySpan<byte> Read(int across, int down)
    {
        int rows = page.RowsOf(down), length = (int)page.PartBytes(rows);
        Reserve(ref data, (int)page.PartBytes(page.PartHeight) * page.Planes);
        for (int plane = 0; plane < page.Planes; plane++)
        {
            int part = (plane * page.Down + down) * page.Across + across;
            var bytes = data.AsSpan(plane * length, length);
            if (jpeg is not null)
                ReadJpeg(part, rows, bytes);
            else if (codec is not null)
                Decompress(part, plane * length, length, rows);
            else if (page.Compression == TiffPage.NoCompression)
                ReadPlain(part, bytes);
            else
                Inflate(part, bytes);
            Restore(bytes, rows);
        }
        return data.AsSpan(0, length * page.Planes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        codec?.Dispose();
        jpeg?.Dispose();
        Return(data);
        Return(stored);
        data = stored = [];
    }

    /// <summary>Memory for a part, used again by the next picture unless it is much.</summary>
    private static void Reserve(ref byte[] memory, int length)
    {
        if (memory.Length >= length)
            return;
        Return(memory);
        memory = length > PictureLimits.LargeBytes ? new byte[length] : ArrayPool<byte>.Shared.Rent(length);
    }

    private static void Return(byte[] memory)
    {
        if (memory.Length is > 0 and <= PictureLimits.LargeBytes)
            ArrayPool<byte>.Shared.Return(memory);
    }

    private void ReadPlain(int part, Span<byte> bytes)
    {
        file.Fill(bytes, page.Offsets[part]);
        if (page.ReversedBits)
            ReverseBits(bytes);
    }

    /// <summary>The runtime's own inflating is ten times as quick as the library's.</summary>
    private void Inflate(int part, Span<byte> bytes)
    {
        var packed = Stored(part);
        if (page.ReversedBits)
            ReverseBits(packed);
        try
        {
            using var stream = new ZLibStream(new MemoryStream(stored, 0, packed.Length), CompressionMode.Decompress);
            stream.ReadExactly(bytes);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new TiffRefusal(TiffRefusal.DamagedData);
        }
    }

    private static void ReverseBits(Span<byte> bytes)
    {
        foreach (ref byte value in bytes)
            value = (byte)((value * 0x0202020202UL & 0x010884422010UL) % 1023);
    }

    /// <summary>The bytes of a part as the file has them.</summary>
    private Span<byte> Stored(int part)
    {
        int length = (int)page.Counts[part];
        Reserve(ref stored, length);
        file.Fill(stored.AsSpan(0, length), page.Offsets[part]);
        return stored.AsSpan(0, length);
    }

    private void Decompress(int part, int offset, int length, int rows)
    {
        if (page.Compression == TiffPage.Jpeg)
            CheckJpeg(part, rows);
        (hasFailed, wrongRows) = (false, 0);
        int count = Guarded(() => page.IsTiled
            ? codec!.ReadEncodedTile(part, data, offset, length) : codec!.ReadEncodedStrip(part, data, offset, length));
        if (count != length || hasFailed || wrongRows > rows / MostWrongRows)
            throw new TiffRefusal(TiffRefusal.DamagedData);
    }

    private void ReadJpeg(int part, int rows, Span<byte> bytes)
    {
        var (header, length) = CheckJpeg(part, rows);
        if (!jpeg!.Decode(stored.AsSpan(0, length), header, bytes))
            throw new TiffRefusal(TiffRefusal.DamagedData);
    }

    /// <summary>On damaged data the codec throws whatever it runs into.</summary>
    private static T Guarded<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is not (TiffRefusal or IOException or UnauthorizedAccessException or OutOfMemoryException))
        {
            throw new TiffRefusal(TiffRefusal.DamagedData);
        }
    }

    /// <summary>The codec fills in what is missing in a JPEG, and takes as long for it as it has scans.</summary>
    private (PictureHeader Header, int Length) CheckJpeg(int part, int rows)
    {
        ReadOnlySpan<byte> file = Stored(part);
        if (!PictureSignature.IsJpeg(file) || PictureHeader.Read(file, PictureFormat.Jpeg) is not { } header
            || header.Width != page.PartWidth || header.Height != rows || header.Channels != page.Samples / page.Planes)
            throw new TiffRefusal(TiffRefusal.DamagedData);
        var end = JpegStructure.Walk(file, out int scans);
        if (end is JpegEnd.Damaged or JpegEnd.MissingProgressive)
            throw new TiffRefusal(TiffRefusal.DamagedData);
        if (scans > MostScans)
            throw new TiffRefusal($"the {scans} scans of its JPEG parts are more work than is allowed");
        return (header, file.Length);
    }

    /// <summary>To this machine's byte order, and sums for differences.</summary>
    private void Restore(Span<byte> bytes, int rows)
    {
        if (page.Predictor != 3 && page.IsBigEndian && page.Compression != TiffPage.Jpeg)
            TiffSamples.Swap(bytes, page.Bits);
        if (page.Predictor == 1)
            return;
        int width = (int)page.RowBytes, stride = page.IsPlanar ? 1 : page.Samples;
        for (int row = 0; row < rows; row++)
        {
            var line = bytes.Slice(row * width, width);
            if (page.Predictor == 2)
                TiffSamples.Sum(line, page.Bits, stride);
            else
                TiffSamples.SumBytes(line, page.Bits, stride);
        }
    }

    /// <summary>The bytes that the codec sees: our small file, then each part at the address of its number.</summary>
    private sealed class PartStream(TiffParts parts, byte[] start) : TiffStream
    {
        private long position;

        public override int Read(object clientData, byte[] buffer, int offset, int count)
        {
            var to = buffer.AsSpan(offset, count);
            if (position < start.Length)
            {
                var from = start.AsSpan((int)position);
                count = Math.Min(count, from.Length);
                from[..count].CopyTo(to);
                position += count;
                return count;
            }
            int part = (int)position - start.Length;
            if (part >= parts.page.Offsets.Length || count > parts.page.Counts[part])
                return 0;
            parts.file.Fill(to, parts.page.Offsets[part]);
            return count;
        }

        public override long Seek(object clientData, long offset, SeekOrigin origin) => position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => position + offset,
            _ => Size(clientData) + offset,
        };

        public override long Size(object clientData) => int.MaxValue;

        public override void Close(object clientData)
        {
        }

        public override void Write(object clientData, byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>Takes in what the library would write to the console.</summary>
    private sealed class TiffMessages : TiffErrorHandler
    {
        private static readonly TiffMessages listener = new();

        private TiffErrorHandler others = new();

        /// <summary>The library has one place for all: what is not about our files goes to who was there before.</summary>
        public static void Listen()
        {
            if (Tiff.SetErrorHandler(listener) is { } before && before != listener)
                listener.others = before;
        }

        public override void ErrorHandler(Tiff tif, string method, string format, params object[] args)
        {
            if (tif?.Clientdata() is TiffParts parts)
                parts.NoteError(format);
            else
                others.ErrorHandler(tif, method, format, args);
        }

        public override void ErrorHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args)
        {
            if (clientData is not TiffParts)
                others.ErrorHandlerExt(tif, clientData, method, format, args);
        }

        public override void WarningHandler(Tiff tif, string method, string format, params object[] args)
        {
            if (tif?.Clientdata() is TiffParts parts)
                parts.NoteWarning(method, format, args);
            else
                others.WarningHandler(tif, method, format, args);
        }

        public override void WarningHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args)
        {
            if (clientData is not TiffParts)
                others.WarningHandlerExt(tif, clientData, method, format, args);
        }
    }

    /// <summary>Only bytes too many at the end of a part are no damage.</summary>
    private void NoteError(string format) => hasFailed |= !format.Contains("discarding", StringComparison.Ordinal);

    /// <summary>Codecs that fill in what is missing warn, and call that success.</summary>
    private void NoteWarning(string method, string format, object[] args)
    {
        if (args is [_, "Premature EOL" or "Line length mismatch", ..])
            wrongRows++;
        hasFailed |= format.Contains("Not enough data", StringComparison.Ordinal)
            || format.Contains("Premature EOF", StringComparison.Ordinal)
            || (method == "JPEGLib" && args is [string text, ..] && !text.Contains("extraneous", StringComparison.Ordinal));
    }
}
