namespace Dino.Pictures.Decoding;

/// <summary>TIFF and BigTIFF to pictures, upright; safe to use from many threads.</summary>
internal static class TiffPicture
{
    // What a picture of any size may take, whatever number of pixels is allowed.
    private const long SmallestBudget = 256 << 20;

    private static readonly Lock heavy = new();

    /// <summary>Whether a file begins as a TIFF that is read.</summary>
    public static bool Matches(PictureInput input)
    {
        Span<byte> start = stackalloc byte[PictureSignature.Length];
        try
        {
            return PictureSignature.IsTiff(start[..input.Read(start, 0)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // whoever reads on says why
        }
    }

    /// <summary>
    /// Decodes a page in 8 bits, as Pillow's <c>convert("RGB")</c>; of grey with 16 bits the upper 8, and floating-point numbers up to 1
    /// are spread over 0 … 255.
    /// </summary>
    /// <param name="input">The file, and which page.</param>
    /// <param name="limits">What it may take.</param>
    /// <param name="image">Receives it.</param>
    /// <param name="channels">4 also gives the opacity, or whatever the sample behind the colours is.</param>
    /// <returns>Why it gives no picture, or null.</returns>
    public static string? Decode(PictureInput input, DecodeLimits limits, RgbImage image, int channels) => Try(() =>
    {
        var file = new TiffFile(input);
        var page = new TiffPage(file, Find(file, input.Page), limits.MaxPixels);
        if (page.ColourSamples == 1 && page.Samples > 2)
            throw new TiffRefusal($"it has {page.Samples} channels, which are no colours (`Channels`)");
        bool withOpacity = channels == 4 && page.Samples > page.ColourSamples && page.Samples <= 4;
        int result = withOpacity ? 6 : 3;
        if (page.IsFloat)
            WithinBudget(page, sizeof(float) * page.Samples + result, limits.Budget, () => FromFloats(file, page, image, withOpacity));
        else
            WithinBudget(page, result, limits.Budget, () => ToRgb(file, page, image, withOpacity));
    });

    /// <summary>
    /// Decodes a page with all its channels and the values that it stores. Fewer than 8 bits, palettes, CMYK and YCbCr come in 8 bits,
    /// as grey or RGB; grey that is white at 0 is turned round; colours are not multiplied by the opacity.
    /// </summary>
    /// <inheritdoc cref="Decode(PictureInput, DecodeLimits, RgbImage, int)"/>
    public static string? Decode(PictureInput input, DecodeLimits limits, FloatImage image) => Try(() =>
    {
        var file = new TiffFile(input);
        var page = new TiffPage(file, Find(file, input.Page), limits.MaxPixels);
        WithinBudget(page, sizeof(float) * Math.Max(3, page.Samples), 2 * limits.Budget, () => ToFloats(file, page, image));
    });

    /// <summary>
    /// How many pictures a file holds, smaller copies and masks not counted: those that <see cref="PictureInput.Page"/> can name. 1 of a
    /// file that is damaged or no TIFF. Reads the directories alone.
    /// </summary>
    public static int CountPages(PictureInput input)
    {
        int pages = 0;
        Try(() =>
        {
            if (Matches(input))
                pages = new TiffFile(input).Directories().Count(directory => directory.IsFullPicture);
        });
        return Math.Max(1, pages);
    }

    /// <summary>The name of the raw camera format that a file which begins as a TIFF is in truth, or null.</summary>
    public static string? RawFormat(PictureInput input)
    {
        string? name = null;
        Try(() => name = RawFormat(new TiffFile(input)));
        return name;
    }

    /// <summary>How the first picture of a file keeps its colours.</summary>
    public static StoredColours ColoursOf(PictureInput input)
    {
        var colours = StoredColours.Unknown;
        Try(() =>
        {
            var first = Find(new TiffFile(input), 0);
            bool isOneSample = first.Number(TiffField.SamplesPerPixel, 1) == 1;
            colours = first.Number(TiffField.Photometric, -1) switch
            {
                3 => StoredColours.Few, // a palette
                0 or 1 when isOneSample => first.Number(TiffField.BitsPerSample, 1) switch
                {
                    1 => StoredColours.Few,
                    <= 8 => StoredColours.Grey,
                    _ => StoredColours.Unknown, // of a scan and its preview, the scan is no mask
                },
                -1 => StoredColours.Unknown,
                _ => StoredColours.Colour,
            };
        });
        return colours;
    }

    private static string? RawFormat(TiffFile file)
    {
        var first = file.Directories().FirstOrDefault();
        if (first is null)
            return null;
        if (first.Has(TiffField.DngVersion))
            return "raw camera (DNG)";
        // The picture itself lies below a small one.
        foreach (long at in first.Numbers(TiffField.SubIfds, 8))
        {
            if (at > 0 && new TiffDirectory(file, at).Number(TiffField.Photometric, 0) is 32803 or 34892)
                return "raw camera";
        }
        return first.Number(TiffField.Photometric, 0) is 32803 or 34892 ? "raw camera" : null;
    }

    private static string? Try(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (TiffRefusal e)
        {
            return e.Message;
        }
        catch (ImageDecodeException e)
        {
            return e.Reason;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or InvalidDataException)
        {
            return $"the file cannot be read ({e.Message.TrimEnd('.')})";
        }
    }

    private static TiffDirectory Find(TiffFile file, int page)
    {
        if (RawFormat(file) is { } raw)
            throw new TiffRefusal(PictureSignature.NotRead(raw));
        TiffDirectory? first = null;
        int full = 0;
        foreach (var directory in file.Directories())
        {
            first ??= directory;
            if (directory.IsFullPicture && full++ == page)
                return directory;
        }
        if (full == 0 && page == 0 && first is not null)
            return first; // nothing but small copies: the first is what there is
        throw new TiffRefusal(first is null ? TiffRefusal.DamagedHeader : $"it has {Math.Max(1, full)} pages, and none of number {page}");
    }

    private static void WithinBudget(TiffPage page, long pixelBytes, long budget, Action decode)
    {
        long bytes = page.PartMemory + pixelBytes * page.Width * page.Height, most = Math.Max(SmallestBudget, budget);
        string states = $"decoding its {page.Width} × {page.Height} pixels of {page.Samples} samples takes {bytes >> 20} MiB";
        if (bytes > most)
            throw new TiffRefusal($"{states}, more than the {most >> 20} MiB that are allowed (`MaxPixels`)");
        if (bytes > PictureLimits.Memory / 4 * 3)
            throw new TiffRefusal($"{states}, and there are {PictureLimits.Memory >> 20} MiB in all");
        if (!PictureLimits.IsHeavy(bytes))
        {
            decode();
            return;
        }
        lock (heavy)
            decode();
    }

    private static void ToRgb(TiffFile file, TiffPage page, RgbImage image, bool withOpacity)
    {
        using var parts = new TiffParts(file, page);
        var colours = new TiffToRgb(page);
        var place = new TiffPlace(page);
        image.Reshape(place.Width, place.Height);
        image.Opacity = withOpacity ? image.Opacity ?? new RgbImage() : null;
        image.Opacity?.Reshape(place.Width, place.Height);
        byte[] samples = new byte[page.PartWidth * page.Samples], rgb = new byte[page.PartWidth * 3];
        EachRow(page, parts, row =>
        {
            var stored = samples.AsSpan(0, row.Pixels * page.Samples);
            var converted = rgb.AsSpan(0, row.Pixels * 3);
            row.ToBytes(stored);
            colours.Convert(stored, converted);
            Put(converted, image, place, row);
            if (image.Opacity is not { } opacity)
                return;
            for (int i = 0; i < row.Pixels; i++)
                converted.Slice(3 * i, 3).Fill(stored[i * page.Samples + page.ColourSamples]);
            Put(converted, opacity, place, row);
        });
    }

    private static void Put(ReadOnlySpan<byte> pixels, RgbImage image, TiffPlace place, TiffRow row)
    {
        var to = image.Pixels;
        int at = 3 * place.Index(row.X, row.Y), step = 3 * place.Step;
        if (step == 3)
        {
            pixels.CopyTo(to[at..]);
            return;
        }
        for (int i = 0; i < row.Pixels; i++)
            pixels.Slice(3 * i, 3).CopyTo(to[(at + i * step)..]);
    }

    /// <summary>
    /// Floating-point pictures go from 0 to 1 or to 255: the largest number tells. The latter are cut off at whole numbers, as by Pillow.
    /// </summary>
    private static void FromFloats(TiffFile file, TiffPage page, RgbImage image, bool withOpacity)
    {
        var numbers = new FloatImage();
        ToFloats(file, page, numbers);
        bool isGrey = page.ColourSamples == 1;
        float largest = 0;
        for (int channel = 0; channel < page.ColourSamples; channel++)
        {
            foreach (float value in numbers.Plane(channel))
                largest = value > largest ? value : largest;
        }
        bool upToOne = largest <= 1;
        image.Reshape(numbers.Width, numbers.Height);
        image.Opacity = withOpacity ? image.Opacity ?? new RgbImage() : null;
        image.Opacity?.Reshape(numbers.Width, numbers.Height);
        for (int channel = 0; channel < 3; channel++)
        {
            Reduce(numbers.Plane(isGrey ? 0 : channel), image.Pixels[channel..], upToOne);
            if (image.Opacity is { } opacity)
                Reduce(numbers.Plane(page.ColourSamples), opacity.Pixels[channel..], upToOne);
        }
    }

    private static void Reduce(ReadOnlySpan<float> values, Span<byte> to, bool upToOne)
    {
        for (int i = 0; i < values.Length; i++)
        {
            float value = upToOne ? values[i] * 255 + 0.5f : values[i];
            to[3 * i] = (byte)(value > 0 ? Math.Min(value, 255) : 0); // nothing of what is no number
        }
    }

    private static void ToFloats(TiffFile file, TiffPage page, FloatImage image)
    {
        using var parts = new TiffParts(file, page);
        var place = new TiffPlace(page);
        bool isGrey = page.Colours is TiffColours.Grey or TiffColours.InvertedGrey;
        bool inBytes = page.Bits < 8 || !(isGrey || page.Colours == TiffColours.Rgb);
        int extras = page.Samples - page.ColourSamples, colours = isGrey ? 1 : 3;
        image.Reshape(colours + extras, place.Width, place.Height);
        image.Depth = inBytes ? PixelDepth.Bytes : new PixelDepth(page.Bits, page.IsFloat, page.IsSigned);
        float[] samples = new float[page.PartWidth * image.Channels];
        if (inBytes)
        {
            var convert = new TiffToRgb(page);
            byte[] bytes = new byte[page.PartWidth * page.Samples], rgb = new byte[page.PartWidth * 3];
            EachRow(page, parts, row =>
            {
                row.ToBytes(bytes.AsSpan(0, row.Pixels * page.Samples));
                convert.Convert(bytes.AsSpan(0, row.Pixels * page.Samples), rgb.AsSpan(0, row.Pixels * 3));
                for (int i = 0; i < row.Pixels; i++)
                {
                    var pixel = samples.AsSpan(i * image.Channels, image.Channels);
                    for (int k = 0; k < pixel.Length; k++)
                        pixel[k] = k < colours ? rgb[3 * i + k] : bytes[i * page.Samples + page.ColourSamples + k - colours];
                }
                Put(samples, image, place, row);
            });
            return;
        }
        float white = page is { Colours: TiffColours.InvertedGrey, IsFloat: false, IsSigned: false } ? (float)image.Depth.Full.High : 0;
        float full = (float)image.Depth.Full.High;
        EachRow(page, parts, row =>
        {
            row.ToFloats(samples.AsSpan(0, row.Pixels * page.Samples));
            for (int i = 0; i < row.Pixels; i++)
            {
                var pixel = samples.AsSpan(i * page.Samples, page.Samples);
                if (white > 0)
                    pixel[0] = white - pixel[0];
                if (page.Extra != TiffExtra.Associated)
                    continue;
                float opacity = pixel[page.ColourSamples];
                foreach (ref float value in pixel[..page.ColourSamples])
                    value = opacity > 0 ? page.IsFloat ? value / opacity : Math.Min(full, value * full / opacity) : 0;
            }
            Put(samples, image, place, row);
        });
    }

    private static void Put(ReadOnlySpan<float> pixels, FloatImage image, TiffPlace place, TiffRow row)
    {
        int at = place.Index(row.X, row.Y), channels = image.Channels;
        for (int channel = 0; channel < channels; channel++)
        {
            var to = image.Plane(channel);
            for (int i = 0; i < row.Pixels; i++)
                to[at + i * place.Step] = pixels[i * channels + channel];
        }
    }

    private delegate void RowAction(TiffRow row);

    private static void EachRow(TiffPage page, TiffParts parts, RowAction act)
    {
        for (int down = 0; down < page.Down; down++)
        {
            for (int across = 0; across < page.Across; across++)
            {
                var part = parts.Read(across, down);
                int rows = Math.Min(page.RowsOf(down), page.Height - down * page.PartHeight);
                for (int row = 0; row < rows; row++)
                    act(new TiffRow(page, part, across, down, row));
            }
        }
    }
}
