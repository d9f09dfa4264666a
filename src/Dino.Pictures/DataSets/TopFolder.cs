namespace Dino.Pictures.DataSets;

/// <summary>The folder that all pictures lie in, where it is not a class of its own.</summary>
internal static class TopFolder
{
    /// <summary>
    /// The longest path, with / at its end, that all names begin with and that has folders with pictures in it: of <c>photos/cat/1.jpg</c>
    /// and <c>photos/dog/1.jpg</c> it is <c>photos/</c>, of <c>cat/1.jpg</c> and <c>cat/2.jpg</c> it is empty.
    /// </summary>
    public static string Of(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return "";
        string common = names[0][..(names[0].LastIndexOf('/') + 1)];
        foreach (string name in names)
        {
            while (common.Length > 0 && !name.StartsWith(common, StringComparison.Ordinal))
                common = Above(common);
        }
        // Without folders in it, it is itself a class.
        while (common.Length > 0 && !names.Any(name => name.IndexOf('/', common.Length) >= 0))
            common = Above(common);
        return common;
    }

    private static string Above(string folder) =>
        folder.Length < 2 ? "" : folder[..(folder.LastIndexOf('/', folder.Length - 2) + 1)];
}
