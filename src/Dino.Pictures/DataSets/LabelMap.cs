using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>How the numbers of a mask are to be read.</summary>
public enum MaskKind
{
    /// <summary>
    /// Palette files hold ids. Grey files hold ids if all values but 0 and 255 are at most 64 and there are such; else they are masks of
    /// one
    /// object. A file of nothing but 0 and 255 is one object's mask either way.
    /// </summary>
    Auto,

    /// <summary>0 is background, 255 is undecided, any other number an object.</summary>
    Ids,

    /// <summary>128 and more is the one object.</summary>
    Binary,
}

/// <summary>Which object each pixel of a picture shows.</summary>
/// <param name="Ids">(Height, Width): 0 for background and for undecided pixels.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
public sealed record LabelMap(byte[] Ids, int Width, int Height)
{
    private const int MostGreyIds = 64, Undecided = 255;

    /// <summary>The ids of the objects that it shows, ascending.</summary>
    public IReadOnlyList<byte> Objects
    {
        get
        {
            var seen = new bool[256];
            foreach (byte id in Ids)
                seen[id] = true;
            return [.. Enumerable.Range(1, 255).Where(id => seen[id]).Select(id => (byte)id)];
        }
    }

    /// <summary>Why the numbers may mean something else than they were taken for, or null.</summary>
    public string? Doubt { get; init; }

    /// <summary>The highest id.</summary>
    public int Highest => Ids.Length == 0 ? 0 : Ids.Max();

    /// <summary>Reads a mask: a grey or palette PNG, or any picture that is grey.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">How to read it; <see cref="MaskKind.Auto"/> becomes what was found.</param>
    /// <param name="maxPixels">A larger one is refused.</param>
    /// <exception cref="ImageFolderException">The file gives no mask; the message says why.</exception>
    public static LabelMap Read(string path, ref MaskKind kind, int maxPixels = ImageDecoder.DefaultMaxPixels)
    {
        try
        {
            return Decode(path, ref kind, maxPixels);
        }
        catch (Exception e) when (ReasonOf(e) is { } reason)
        {
            throw new ImageFolderException(
                IsMissing(e) ? $"There is no mask {RawName.Shown(path)}." : $"The mask {RawName.Shown(path)} cannot be read: {reason}.", e);
        }
    }

    /// <summary>Reads a mask; a file that gives none is reported.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">How to read it; <see cref="MaskKind.Auto"/> becomes what was found.</param>
    /// <param name="skipped">Takes in the file if it gives none.</param>
    /// <param name="maxPixels">A larger one is refused.</param>
    /// <returns>The mask, or null.</returns>
    internal static LabelMap? TryRead(string path, ref MaskKind kind, SkippedFiles skipped, int maxPixels = ImageDecoder.DefaultMaxPixels)
    {
        try
        {
            return Decode(path, ref kind, maxPixels);
        }
        catch (Exception e) when (ReasonOf(e) is { } reason)
        {
            skipped.Report(path, reason);
            return null;
        }
    }

    private static LabelMap Decode(string path, ref MaskKind kind, int maxPixels)
    {
        var (values, width, height, isPalette) = ReadValues(path, maxPixels);
        string? doubt = null;
        if (kind == MaskKind.Auto)
        {
            kind = KindOf(values, isPalette);
            doubt = kind == MaskKind.Binary ? DoubtOf(path, values) : null;
        }
        for (int i = 0; i < values.Length; i++)
            values[i] = kind == MaskKind.Binary ? (byte)(values[i] >> 7) : values[i] == Undecided ? (byte)0 : values[i];
        return new LabelMap(values, width, height) { Doubt = doubt };
    }

    /// <inheritdoc cref="Read(string, ref MaskKind, int)"/>
    public static LabelMap Read(string path, MaskKind kind = MaskKind.Auto) => Read(path, ref kind);

    /// <summary>Smoothed borders of one object have many greys; a few greys may be objects.</summary>
    private static string? DoubtOf(string path, byte[] values)
    {
        const int most = 16;
        byte[] greys = [.. values.Where(value => value is not (0 or Undecided)).Distinct().Take(most + 1).Order()];
        return greys.Length is > 0 and <= most
            ? $"the greys {string.Join(", ", greys)} of {path} are taken for one object, {Undecided / 2 + 1} and more; if they are "
                + $"objects, give `MaskKind` ids"
            : null;
    }

    /// <summary>
    /// Ids of pixels in the colours that palette files of PASCAL VOC and DAVIS have; programs that know no palettes write those.
    /// </summary>
    private static void FromColours(ReadOnlySpan<byte> pixels, Span<byte> values, int width)
    {
        for (int i = 0; i < values.Length; i++)
        {
            var (red, green, blue) = (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
            values[i] = VocColours.IdOf(red, green, blue) ?? throw new InvalidDataException(
                $"it is coloured, and the colour ({red}, {green}, {blue}) at ({i % width}, {i / width}) is none of DAVIS's and PASCAL "
                    + $"VOC's; "
                + "save it as a palette or grey PNG whose numbers are the objects");
        }
    }

    private static MaskKind KindOf(byte[] values, bool isPalette)
    {
        bool any = false, allLow = true;
        foreach (byte value in values)
        {
            if (value is 0 or Undecided)
                continue;
            any = true;
            allLow &= value <= MostGreyIds;
        }
        return any && (isPalette || allLow) ? MaskKind.Ids : MaskKind.Binary;
    }

    private static (byte[] Values, int Width, int Height, bool IsPalette) ReadValues(string path, int maxPixels)
    {
        byte[] file = PictureLimits.Read(path, maxPixels);
        if (PngIndices.Read(file, maxPixels) is { } indices)
            return indices;
        using var decoder = new ImageDecoder(maxPixels);
        var picture = new RgbImage();
        decoder.Decode(path, picture);
        bool isGrey = true;
        byte[] values = new byte[picture.Width * picture.Height];
        var pixels = picture.Pixels;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = pixels[3 * i];
            isGrey &= pixels[3 * i + 1] == values[i] && pixels[3 * i + 2] == values[i];
        }
        if (!isGrey)
            FromColours(pixels, values, picture.Width);
        return (values, picture.Width, picture.Height, !isGrey);
    }

    private static bool IsMissing(Exception fault) =>
        (fault is ImageDecodeException ? fault.InnerException : fault) is FileNotFoundException or DirectoryNotFoundException;

    /// <summary>What is wrong with the file, or null where the fault is not the file's.</summary>
    private static string? ReasonOf(Exception fault) => fault switch
    {
        _ when IsMissing(fault) => "there is no such mask",
        ImageDecodeException e => e.Reason,
        InvalidDataException or IOException or UnauthorizedAccessException => fault.Message.TrimEnd('.'),
        _ => null,
    };
}
