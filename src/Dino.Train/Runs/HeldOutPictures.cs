using System.Text;
using Dino.Tensors.Io;

namespace Dino.Train.Runs;

/// <summary>The names of the pictures that a run does not train with, as its folder keeps them: one a line.</summary>
internal static class HeldOutPictures
{
    /// <summary>Writes the names; without any, none are left of an earlier run.</summary>
    public static void Write(string path, IReadOnlyList<string>? names)
    {
        if (names is null)
            File.Delete(path);
        else
            AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Text(names))));
    }

    /// <summary>How a run that goes on differs in them from what its folder says; null if it does not.</summary>
    /// <param name="path">The file of the run.</param>
    /// <param name="now">The names now.</param>
    public static string? Difference(string path, IReadOnlyList<string>? now)
    {
        if (!File.Exists(path))
            return null; // the pictures that are left tell
        string then = File.ReadAllText(path, Encoding.UTF8);
        int count = then.Count(letter => letter == '\n');
        if (now is null)
            return $"`Val` ({count} pictures held out then, none now)";
        return then == Text(now) ? null : now.Count != count ? $"`Val` ({count} pictures held out then, {now.Count} now)"
            : $"`Val` ({count} pictures held out as before, but not the same)";
    }

    private static string Text(IReadOnlyList<string> names) => string.Concat(names.Select(name =>
        name.Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal) + "\n"));
}
