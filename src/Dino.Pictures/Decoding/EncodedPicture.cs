namespace Dino.Pictures.Decoding;

/// <summary>One picture's bytes on their way to pixels: which codec reads them, and what is asked of them before and after.</summary>
internal readonly ref struct EncodedPicture
{
    /// <summary>Bytes behind the file, for <see cref="JpegFault"/>.</summary>
    private const int ProbeBytes = 64;

    private readonly DecodeScratch scratch;
    private readonly int length;
    private readonly PictureFormat format;
    private readonly PictureHeader? header;
    private readonly DecodeLimits limits;
    private readonly DecodeMode mode;
    private readonly Orientation orientation;

    /// <summary>Reads the bytes.</summary>
    /// <exception cref="ImageDecodeException">They cannot be read.</exception>
    public EncodedPicture(PictureInput input, int length, DecodeScratch scratch, DecodeLimits limits, DecodeMode mode)
    {
        (this.length, this.scratch, this.limits, this.mode) = (length, scratch, limits, mode);
        scratch.File.Reserve((nuint)length + ProbeBytes);
        PictureLimits.Fill(input, Bytes);
        format = PictureSignature.FormatOf(Bytes, input.Name);
        header = PictureHeader.Read(Bytes, format);
        orientation = ExifOrientation.Of(Bytes);
    }

    private Span<byte> Bytes => scratch.File.Span(length);

    /// <summary>Decodes the picture into 8 bits; what is wrong with it, or null.</summary>
    public DecodeFault? Decode(RgbImage image, bool opacity) => Hollow() ?? format switch
    {
        PictureFormat.Jpeg => Jpeg(image, opacity),
        PictureFormat.Png => Png(image, opacity),
        PictureFormat.Tga => Tga(image, opacity),
        PictureFormat.Pnm => PnmPicture.Decode(Bytes, limits, opacity, image),
        _ => BySkia(length, image, opacity),
    };

    /// <summary>Decodes the picture into the numbers that it stores; what is wrong with it, or null.</summary>
    public DecodeFault? Decode(FloatImage image)
    {
        if (format == PictureFormat.Pnm)
            return PnmPicture.Decode(Bytes, limits, image);
        if (format == PictureFormat.Png && header is { Bits: 16 })
            return Hollow() ?? DeepPng(image);
        bool isGrey = header is { Channels: <= 2 };
        int colours = isGrey ? 1 : 3, most = colours + (format is PictureFormat.Jpeg or PictureFormat.Bmp ? 0 : 1);
        if (header is { } known
            && limits.Refusal(known.Width, known.Height, known.PixelBytes + sizeof(float) * most) is { } refusal)
            return DecodeFault.Final(refusal);
        var picture = scratch.Picture;
        if (Decode(picture, opacity: true) is { } fault)
            return fault;
        image.Reshape(colours + (picture.Opacity is null ? 0 : 1), picture.Width, picture.Height);
        image.Depth = PixelDepth.Bytes;
        for (int channel = 0; channel < image.Channels; channel++)
        {
            var plane = image.Plane(channel);
            ReadOnlySpan<byte> pixels = channel < colours ? picture.Pixels[channel..] : picture.Opacity!.Pixels;
            for (int i = 0; i < plane.Length; i++)
                plane[i] = pixels[3 * i];
        }
        return null;
    }

    /// <summary>The fault of a small file that states a huge picture, of which it cannot hold all; it costs nothing to tell.</summary>
    private DecodeFault? Hollow() =>
        header is { } known && LeastBytes.Of(known) > length ? DecodeFault.Final(DecodeFault.Truncated) : null;

    private DecodeFault? Jpeg(RgbImage image, bool opacity)
    {
        var end = JpegStructure.Walk(Bytes, out int scans);
        if (header is { } known && PictureLimits.TooManyScans(known, scans, limits) is { } refusal)
            return DecodeFault.Final(refusal);
        // Only of a file whose markers are in order: it does not tell what is missing.
        bool isOther = end == JpegEnd.Reached && header is { } read && ImageSharpCodec.Knows(read);
        if (isOther && mode == DecodeMode.Fast && ByImageSharp(image, opacity) is null)
            return null;
        var fault = BySkia(length, image, opacity);
        if (fault is null)
            return JpegFault(end, image);
        if (isOther && mode == DecodeMode.Exact && fault.Value.MayBeAnothers && ByImageSharp(image, opacity) is null)
            return null;
        return fault;
    }

    private DecodeFault? JpegFault(JpegEnd end, RgbImage image)
    {
        switch (end)
        {
            case JpegEnd.Reached:
                return null;
            case JpegEnd.Damaged:
                return DecodeFault.Final(DecodeFault.Damaged);
            case JpegEnd.MissingProgressive:
                return DecodeFault.Final(DecodeFault.Truncated);
            case JpegEnd.MissingSequential:
            default:
                // Some writers leave out the end marker. If nothing else is missing, bytes put at the end change no pixel.
                scratch.File.Span(length + ProbeBytes)[length..].Fill(0x55);
                var probe = scratch.Picture;
                return BySkia(length + ProbeBytes, probe, opacity: false) is null && probe.Pixels.SequenceEqual(image.Pixels)
                    ? null : DecodeFault.Final(DecodeFault.Truncated);
        }
    }

    private DecodeFault? Png(RgbImage image, bool opacity)
    {
        if (!PngStructure.IsComplete(Bytes))
            return DecodeFault.Final(DecodeFault.Truncated);
        // In both modes: ImageSharp takes twice as long for the same pixels.
        var fault = BySkia(length, image, opacity);
        if (fault is not null && PngStructure.RepairChecksums(Bytes))
            fault = BySkia(length, image, opacity);
        bool isOther = fault is { MayBeAnothers: true } && header is { } known && PngStructure.IsRegular(Bytes)
            && PngStructure.IsWhole(Bytes, known.StoredBytes);
        return isOther && ByImageSharp(image, opacity) is null ? null : fault;
    }

    private DecodeFault? DeepPng(FloatImage image)
    {
        if (!PngStructure.IsComplete(Bytes))
            return DecodeFault.Final(DecodeFault.Truncated);
        if (!PngStructure.IsRegular(Bytes))
            return DecodeFault.Final(DecodeFault.Damaged);
        if (limits.Refusal(header!.Value.Width, header.Value.Height, 0) is { } refusal)
            return DecodeFault.Final(refusal);
        if (!PngStructure.IsWhole(Bytes, header.Value.StoredBytes))
            return DecodeFault.Final(DecodeFault.Truncated);
        var fault = ImageSharpCodec.DecodeDeep(Bytes, header!.Value, limits, orientation, image);
        if (fault is not null && PngStructure.RepairChecksums(Bytes))
            fault = ImageSharpCodec.DecodeDeep(Bytes, header!.Value, limits, orientation, image);
        return fault;
    }

    private DecodeFault? Tga(RgbImage image, bool opacity)
    {
        if (TgaHeader.Read(Bytes) is not { } tga)
            return DecodeFault.Final("its header is damaged");
        return tga.IsComplete(length) ? ByImageSharp(image, opacity) : DecodeFault.Final(DecodeFault.Truncated);
    }

    private DecodeFault? BySkia(int bytes, RgbImage image, bool opacity) =>
        SkiaCodec.Decode(scratch.File.Address, bytes, header, limits, orientation, opacity, image, scratch.Rows);

    private DecodeFault? ByImageSharp(RgbImage image, bool opacity) =>
        ImageSharpCodec.Decode(Bytes, header!.Value, limits, orientation, opacity, image, scratch.Rows);
}
