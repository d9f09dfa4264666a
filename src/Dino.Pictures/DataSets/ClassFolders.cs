using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>The classes of pictures: their first-level folders, of which those whose names look the same are one.</summary>
internal sealed class ClassFolders
{
    /// <summary>Finds the classes of pictures.</summary>
    /// <param name="names">Paths from the folder on, with /, in ordinal order.</param>
    public ClassFolders(string[] names)
    {
        string[] spelled = [.. names.Select(ClassOf).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
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
        Labels = [.. names.Select(name => ClassOf(name) is { } folder ? known[folder] : ImageFolder.NoLabel)];
    }

    /// <summary>Names of the classes, in ordinal order.</summary>
    public string[] Names { get; }

    /// <summary>For each picture the number of its class, or <see cref="ImageFolder.NoLabel"/>.</summary>
    public int[] Labels { get; }

    /// <summary>What a person should know.</summary>
    public IReadOnlyList<string> Remarks { get; }

    private static string? ClassOf(string relative) =>
        relative.IndexOf('/', StringComparison.Ordinal) is >= 0 and var end ? relative[..end] : null;
}
