using Dino.Tensors.Io;

namespace Dino.Train.Data;

/// <summary>How the numbers of a mask are to be read.</summary>
public enum MaskKind
{
    /// <summary>
    /// Palette files hold ids. Grey files hold ids if all values but 0 and 255 are at most 64 and there are such; else they are masks of one
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

    /// <summary>The highest id.</summary>
    public int Highest => Ids.Length == 0 ? 0 : Ids.Max();

    /// <summary>Reads a mask: a grey or palette PNG, or any picture that is grey.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">How to read it; <see cref="MaskKind.Auto"/> becomes what was found.</param>
    /// <exception cref="UserErrorException">The file gives no mask; the message says why.</exception>
    public static LabelMap Read(string path, ref MaskKind kind)
    {
        try
        {
            return Decode(path, ref kind);
        }
        catch (Exception e) when (ReasonOf(e) is { } reason)
        {
            throw new UserErrorException(
                e is FileNotFoundException or DirectoryNotFoundException ? $"There is no mask {path}." : $"The mask {path} cannot be read: {reason}.", e);
        }
    }

    /// <summary>Reads a mask; a file that gives none is reported.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">How to read it; <see cref="MaskKind.Auto"/> becomes what was found.</param>
    /// <param name="skipped">Takes in the file if it gives none.</param>
    /// <returns>The mask, or null.</returns>
    internal static LabelMap? TryRead(string path, ref MaskKind kind, SkippedFiles skipped)
    {
        try
        {
            return Decode(path, ref kind);
        }
        catch (Exception e) when (ReasonOf(e) is { } reason)
        {
            skipped.Report(path, reason);
            return null;
        }
    }

    private static LabelMap Decode(string path, ref MaskKind kind)
    {
        var (values, width, height, isPalette) = ReadValues(path);
        if (kind == MaskKind.Auto)
            kind = KindOf(values, isPalette);
        for (int i = 0; i < values.Length; i++)
            values[i] = kind == MaskKind.Binary ? (byte)(values[i] >> 7) : values[i] == Undecided ? (byte)0 : values[i];
        return new LabelMap(values, width, height);
    }

    /// <inheritdoc cref="Read(string, ref MaskKind)"/>
    public static LabelMap Read(string path, MaskKind kind = MaskKind.Auto) => Read(path, ref kind);

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

    private static (byte[] Values, int Width, int Height, bool IsPalette) ReadValues(string path)
    {
        byte[] file = RegularFile.ReadAllBytes(path);
        if (PngIndices.Read(file, ImageDecoder.DefaultMaxPixels) is { } indices)
            return indices;
        using var decoder = new ImageDecoder();
        var picture = new RgbImage();
        decoder.Decode(path, picture);
        byte[] values = new byte[picture.Width * picture.Height];
        var pixels = picture.Pixels;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = pixels[3 * i];
            if (pixels[3 * i + 1] != values[i] || pixels[3 * i + 2] != values[i])
                throw new InvalidDataException("it is coloured; a mask is grey, or has a palette whose numbers are the objects");
        }
        return (values, picture.Width, picture.Height, false);
    }

    /// <summary>What is wrong with the file, or null where the fault is not the file's.</summary>
    private static string? ReasonOf(Exception fault) => fault switch
    {
        ImageDecodeException e => e.Reason,
        FileNotFoundException or DirectoryNotFoundException => "there is no such mask",
        InvalidDataException or IOException or UnauthorizedAccessException => fault.Message.TrimEnd('.'),
        _ => null,
    };
}
