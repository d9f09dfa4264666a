namespace Dino.Pictures.DataSets;

/// <summary>A folder that cannot be used as a data set: missing, unreadable, or without a readable picture.</summary>
public sealed class ImageFolderException : Exception
{
    /// <summary>Makes the error; the message names the folder and says what to do.</summary>
    public ImageFolderException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
