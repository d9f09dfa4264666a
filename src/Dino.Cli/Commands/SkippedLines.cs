using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Tensors.Io;

namespace Dino.Cli.Commands;

/// <summary>Tells the person of every file that is left out, once, on standard error, and counts them for the result.</summary>
internal sealed class SkippedLines
{
    private readonly CommandContext context;
    private readonly Lock gate = new();
    private List<string>? held;

    /// <summary>Begins with no files.</summary>
    /// <param name="context">Where to write.</param>
    /// <param name="hold">
    /// Whether to wait for <see cref="Release"/>, which follows the first file that was of use: if there is none, one line says so
    /// (<see cref="Failure"/>), and not one for every file.
    /// </param>
    public SkippedLines(CommandContext context, bool hold = false)
    {
        this.context = context;
        held = hold ? [] : null;
        Files = new SkippedFiles((path, reason) => Tell($"skipped {RawName.Shown(path)}: {reason}"));
    }

    /// <summary>Takes in the files.</summary>
    public SkippedFiles Files { get; }

    /// <summary>How many there are.</summary>
    public int Count => Files.Count;

    /// <summary>For the end of a line of the result: "; 3 files skipped", or nothing.</summary>
    public string Suffix => Count switch { 0 => "", 1 => "; 1 file skipped", var count => $"; {count} files skipped" };

    /// <summary>Writes what was held back; what follows is written at once.</summary>
    public void Release()
    {
        lock (gate)
        {
            if (held is not { } lines)
                return;
            held = null;
            foreach (string line in lines)
                context.Error.WriteLine(line);
        }
    }

    /// <summary>The error for work that left nothing: all files failed.</summary>
    /// <param name="what">What there is none of: "None of the 3 pictures can be read".</param>
    public UserErrorException Failure(string what)
    {
        var files = Files.Snapshot();
        string more = files.Count > 1 ? $"; and {files.Count - 1} more like it" : "";
        return new UserErrorException(files.Count == 0 ? $"{what}."
            : $"{what}: {RawName.Shown(files[0].Path)}: {files[0].Reason.TrimEnd('.')}{more}.");
    }

    private void Tell(string line)
    {
        lock (gate)
        {
            if (held is null)
                context.Error.WriteLine(line);
            else
                held.Add(line);
        }
    }
}
