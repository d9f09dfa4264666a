using Dino.Train.Data;

namespace Dino.Train.Commands;

/// <summary>Opens pictures without which a command cannot go on.</summary>
internal static class PictureFiles
{
    /// <summary>Decodes a file.</summary>
    /// <exception cref="UserErrorException">It gives no picture.</exception>
    public static void DecodeOrFail(this ImageDecoder decoder, string path, RgbImage picture)
    {
        try
        {
            decoder.Decode(path, picture);
        }
        catch (ImageDecodeException e)
        {
            throw new UserErrorException(e.Message, e);
        }
    }
}
