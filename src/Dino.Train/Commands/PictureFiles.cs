using Dino.Train.Data;

namespace Dino.Train.Commands;

/// <summary>Opens pictures of which a command may leave some out.</summary>
internal static class PictureFiles
{
    /// <summary>Decodes a file; one that gives no picture is reported.</summary>
    /// <returns>Whether there is a picture.</returns>
    public static bool TryDecode(this ImageDecoder decoder, string path, RgbImage picture, SkippedFiles skipped)
    {
        try
        {
            decoder.Decode(path, picture);
            return true;
        }
        catch (ImageDecodeException e)
        {
            skipped.Report(path, e.Reason);
            return false;
        }
    }
}
