using System.CommandLine;

namespace Dino.Cli.Arguments;

/// <summary>A command of <c>dino</c>: options, examples for its help, and a body that is given a <see cref="CommandContext"/>.</summary>
internal sealed class ProgramCommand : Command
{
    /// <summary>A command; its description is one sentence.</summary>
    /// <param name="name">The word that follows <c>dino</c>.</param>
    /// <param name="description">What it does.</param>
    /// <param name="body">The work. It fails by throwing: a <see cref="UserErrorException"/> for what the user can mend.</param>
    public ProgramCommand(string name, string description, Action<CommandContext> body) : base(name, description)
    {
        Body = body;
        // Only the parser asks whether there is an action; CommandLine.Run calls the body itself.
        SetAction(_ => ExitCode.Ok);
    }

    /// <summary>Whole command lines, each with a few words on what it does, shown at the end of the help.</summary>
    public IReadOnlyList<(string CommandLine, string Meaning)> Examples { get; init; } = [];

    /// <summary>Writes what the help has to say beside the options; null for nothing.</summary>
    public Action<TextWriter>? Notes { get; init; }

    /// <summary>A group of options that the help shows by themselves, under a heading; null for none.</summary>
    public (string Heading, IReadOnlyCollection<Option> Options)? Group { get; init; }

    /// <summary>The option that names a file of further options; null for none.</summary>
    public Option<string?>? File { get; init; }

    /// <summary>The options that such a file may have.</summary>
    public Func<Option, bool> IsOfFile { get; init; } = _ => true;

    /// <summary>Whether a key of such a file is another command's, and left alone.</summary>
    public Func<string, bool> IsPassedOver { get; init; } = _ => false;

    internal Action<CommandContext> Body { get; }
}
