namespace Dino.Pictures.Decoding;

/// <summary>
/// PBM, PGM, PPM and PAM files, plain and raw. Numbers below another white than 255 are spread over 0 … 255 as Pillow does; of 16 bits,
/// <see cref="FloatImage"/> has them as stored. (ImageSharp reads these formats too, but 16 bits wrongly, and no PAM.)
/// </summary>
internal static class PnmPicture
{
    /// <summary>Decodes a file into 8 bits; what is wrong with it, or null.</summary>
    public static DecodeFault? Decode(ReadOnlySpan<byte> file, DecodeLimits limits, bool opacity, RgbImage image)
    {
        if (Check(file, limits, 3) is { } fault)
            return fault;
        var header = PnmHeader.Read(file)!.Value;
        int channels = header.Picture.Channels, width = (int)header.Picture.Width, height = (int)header.Picture.Height;
        if (channels > 4)
            return DecodeFault.Final($"it has {channels} channels, which are no colours");
        bool hasOpacity = opacity && header.Picture.HasOpacity;
        image.Reshape(width, height);
        image.Opacity = hasOpacity ? image.Opacity ?? new RgbImage() : null;
        image.Opacity?.Reshape(width, height);
        byte[] spread = Spread(header.Highest);
        var reader = new Reader(file, header);
        int[] line = new int[width * channels];
        for (int y = 0; y < height; y++)
        {
            if (reader.Read(line) is { } wrong)
                return wrong;
            var row = image.Row(y);
            for (int x = 0; x < width; x++)
            {
                var pixel = line.AsSpan(x * channels, channels);
                row[3 * x] = spread[pixel[0]];
                row[3 * x + 1] = spread[pixel[channels < 3 ? 0 : 1]];
                row[3 * x + 2] = spread[pixel[channels < 3 ? 0 : 2]];
                if (hasOpacity)
                    image.Opacity!.Row(y).Slice(3 * x, 3).Fill(spread[pixel[^1]]);
            }
        }
        return null;
    }

    /// <summary>Decodes a file into its numbers; what is wrong with it, or null.</summary>
    public static DecodeFault? Decode(ReadOnlySpan<byte> file, DecodeLimits limits, FloatImage image)
    {
        int channels = PnmHeader.Read(file)?.Picture.Channels ?? 1;
        if (Check(file, limits, sizeof(float) * channels) is { } fault)
            return fault;
        var header = PnmHeader.Read(file)!.Value;
        int width = (int)header.Picture.Width, height = (int)header.Picture.Height;
        image.Reshape(channels, width, height);
        image.Depth = header.Highest > 255 ? new PixelDepth(16) : PixelDepth.Bytes;
        byte[]? spread = header.Highest > 255 ? null : Spread(header.Highest);
        var reader = new Reader(file, header);
        int[] line = new int[width * channels];
        for (int y = 0; y < height; y++)
        {
            if (reader.Read(line) is { } wrong)
                return wrong;
            for (int channel = 0; channel < channels; channel++)
            {
                var row = image.Plane(channel).Slice(y * width, width);
                for (int x = 0; x < width; x++)
                    row[x] = spread is null ? line[x * channels + channel] : spread[line[x * channels + channel]];
            }
        }
        return null;
    }

    private static DecodeFault? Check(ReadOnlySpan<byte> file, DecodeLimits limits, int pixelBytes)
    {
        if (PnmHeader.Read(file) is not { } header)
            return DecodeFault.Final("its header is damaged");
        // A plain number takes two bytes, with what is before the next; a plain bit one.
        long least = !header.IsPlain ? header.DataBytes
            : header.IsBitmap ? header.Picture.Pixels : header.Picture.Pixels * header.Picture.Channels * 2 - 1;
        if (file.Length - header.DataStart < least)
            return DecodeFault.Final(DecodeFault.Truncated);
        var (width, height) = (header.Picture.Width, header.Picture.Height);
        return limits.Refusal(width, height, pixelBytes) is { } refusal ? DecodeFault.Final(refusal) : null;
    }

    /// <summary>What each number is in 0 … 255.</summary>
    private static byte[] Spread(int highest)
    {
        byte[] spread = new byte[highest > 255 ? 65536 : 256];
        for (int i = 0; i < spread.Length; i++)
            spread[i] = (byte)Math.Min(255, Math.Round((double)i / highest * 255));
        return spread;
    }

    /// <summary>Reads line after line.</summary>
    private ref struct Reader(ReadOnlySpan<byte> file, PnmHeader header)
    {
        private readonly ReadOnlySpan<byte> file = file;
        private int at = header.DataStart;

        public DecodeFault? Read(Span<int> line)
        {
            if (header.IsPlain)
                return header.IsBitmap ? PlainBits(line) : PlainNumbers(line);
            if (header.IsBitmap)
            {
                for (int i = 0; i < line.Length; i++)
                    line[i] = 1 - ((file[at + (i >> 3)] >> (7 - (i & 7))) & 1);
                at += (line.Length + 7) / 8;
            }
            else if (header.Highest > 255)
            {
                for (int i = 0; i < line.Length; i++, at += 2)
                    line[i] = (file[at] << 8) | file[at + 1];
            }
            else
            {
                for (int i = 0; i < line.Length; i++, at++)
                    line[i] = file[at];
            }
            return null;
        }

        private DecodeFault? PlainNumbers(Span<int> line)
        {
            for (int i = 0; i < line.Length; i++)
            {
                if (!PnmHeader.TryNumber(file, ref at, out line[i]))
                    return DecodeFault.Final(at < file.Length ? DecodeFault.Damaged : DecodeFault.Truncated);
                if (line[i] > header.Highest)
                    return DecodeFault.Final(DecodeFault.Damaged);
            }
            return null;
        }

        // Nothing need stand between two bits.
        private DecodeFault? PlainBits(Span<int> line)
        {
            for (int i = 0; i < line.Length; at++)
            {
                if (at >= file.Length)
                    return DecodeFault.Final(DecodeFault.Truncated);
                byte next = file[at];
                if (next == '#')
                {
                    int end = file[at..].IndexOfAny((byte)'\n', (byte)'\r');
                    if (end < 0)
                        return DecodeFault.Final(DecodeFault.Truncated);
                    at += end;
                }
                else if (next is (byte)'0' or (byte)'1')
                {
                    line[i++] = next == '0' ? 1 : 0;
                }
                else if (!PnmHeader.IsSpace(next))
                {
                    return DecodeFault.Final(DecodeFault.Damaged);
                }
            }
            return null;
        }
    }
}
