namespace Dino.Tensors.Io;

/// <summary>What a folder holds, by name; names that are no UTF-8 as <see cref="RawName"/> spells them.</summary>
public static class FolderNames
{
    /// <summary>The names in a folder, in ordinal order.</summary>
    /// <exception cref="UnauthorizedAccessException">It is closed.</exception>
    /// <exception cref="IOException">It is missing, or cannot be listed.</exception>
    public static string[] Of(string folder)
    {
        string[] names = OperatingSystem.IsLinux()
            ? [.. LinuxFiles.Names(folder)]
            : [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)!)];
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }
}
