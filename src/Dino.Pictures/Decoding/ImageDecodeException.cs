namespace Dino.Pictures.Decoding;

/// <summary>A file that gives no picture: unreadable, damaged, cut short, of an unknown format or absurdly large.</summary>
public sealed class ImageDecodeException : Exception
{
    /// <summary>Makes the error of one file and what is wrong with it.</summary>
    public ImageDecodeException(string path, string reason, Exception? inner = null)
        : base($"{path}: {reason}", inner) => (Path, Reason) = (path, reason);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What is wrong with it, without the path.</summary>
    public string Reason { get; }
}
