using System.Text;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;

namespace Dino.Cli.Commands;

/// <summary>Opens pictures of which a command may leave some out, and names what is made of them.</summary>
internal static class PictureFiles
{
    private const int LongestName = 160; // bytes: systems take 255, and something is put before and behind

    /// <summary>
    /// The name of a picture without its ending, for files made of it: text without control characters, cut where it is too long.
    /// </summary>
    public static string NameFor(string path)
    {
        var name = new StringBuilder();
        int bytes = 0;
        foreach (var rune in RawName.Shown(Path.GetFileNameWithoutExtension(path)).EnumerateRunes())
        {
            if ((bytes += rune.Utf8SequenceLength) > LongestName)
                break;
            name.Append(Rune.IsControl(rune) ? new Rune('_') : rune);
        }
        return name.ToString();
    }

    /// <summary>Reads a file; one that gives no picture is reported.</summary>
    /// <returns>Whether there is a picture.</returns>
    public static bool TryRead(this PictureReader reader, string path, DecodedPicture picture, SkippedFiles skipped) =>
        reader.TryRead(path, () => PictureInput.OfFile(path), picture, skipped);

    /// <summary>Reads a picture of a folder or an archive; one that gives none is reported.</summary>
    /// <returns>Whether there is a picture.</returns>
    public static bool TryRead(
        this PictureReader reader, string path, Func<PictureInput> open, DecodedPicture picture, SkippedFiles skipped)
    {
        try
        {
            using var input = open();
            reader.Read(input, picture);
            return true;
        }
        catch (ImageDecodeException e)
        {
            skipped.Report(path, e.Reason);
            return false;
        }
    }
}
