using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>The classes of pictures, of which those whose names look the same are one.</summary>
internal sealed class ClassFolders
{
    /// <summary>Numbers the classes of pictures.</summary>
    /// <param name="classes">The class of each picture; null for none.</param>
    public ClassFolders(IReadOnlyList<string?> classes)
    {
        string[] spelled = [.. classes.OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        var number = new Dictionary<string, int>(NameForm.Comparer);
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var first = new List<string>();
        var remarks = new List<string>();
        foreach (string name in spelled)
        {
            if (number.TryAdd(name, first.Count))
                first.Add(RawName.Shown(name));
            else
                remarks.Add($"the class '{RawName.Shown(name)}' is spelled in two ways (accents as one character, or as two): its "
                    + $"folders are one class");
            known[name] = number[name];
        }
        (Names, Remarks) = ([.. first], remarks);
        Labels = [.. classes.Select(name => name is null ? ImageFolder.NoLabel : known[name])];
    }

    /// <summary>Names of the classes, in ordinal order.</summary>
    public string[] Names { get; }

    /// <summary>For each picture the number of its class, or <see cref="ImageFolder.NoLabel"/>.</summary>
    public int[] Labels { get; }

    /// <summary>What a person should know.</summary>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>The first-level folder that a picture lies in; null for none.</summary>
    /// <param name="path">Its path from the source on, with /.</param>
    /// <param name="top">The folder, with / at its end, that all pictures of the source lie in; empty for none.</param>
    public static string? FolderOf(string path, string top)
    {
        int start = path.StartsWith(top, StringComparison.Ordinal) ? top.Length : 0;
        // A list may name files by paths that lead up, or from the root on.
        while (start < path.Length)
        {
            if (string.CompareOrdinal(path, start, "../", 0, 3) == 0)
                start += 3;
            else if (path[start] == '/')
                start++;
            else
                break;
        }
        return path.IndexOf('/', start) is >= 0 and var end ? path[start..end] : null;
    }
}
