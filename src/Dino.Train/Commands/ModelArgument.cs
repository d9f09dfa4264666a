using System.CommandLine;
using Dino.Tensors;
using Dino.Train.Cli;
using Dino.Train.Weights;

namespace Dino.Train.Commands;

/// <summary>The network that a command looks with: the argument <c>CHECKPOINT</c> and how it is read.</summary>
internal static class ModelArgument
{
    private static readonly Argument<string> checkpoint = new("CHECKPOINT") { Description = "A checkpoint of dino train, or an official, Hugging Face or timm one (.pth, .bin, .safetensors)." };
    private static readonly Option<bool> student = new("--student") { Description = "Use the student of a training checkpoint instead of the teacher." };
    private static readonly Option<int?> heads = new("--num-heads") { Description = "Attention heads, where the file does not tell them." };
    private static readonly Option<bool> allowPartial = new("--allow-partial") { Description = "Use what fits when tensors are missing, unexpected or misshapen." };

    /// <summary>Adds the argument, before the command's own ones, and the options.</summary>
    /// <param name="command">The command.</param>
    /// <param name="partial">Whether it can do with a part of a network.</param>
    public static void AddTo(Command command, bool partial = true)
    {
        command.Arguments.Add(checkpoint);
        command.Options.Add(student);
        command.Options.Add(heads);
        if (partial)
            command.Options.Add(allowPartial);
    }

    /// <summary>The path that was given.</summary>
    public static string PathOf(CommandContext context) => context.Get(checkpoint)!;

    public static BackboneChoice Choice(CommandContext context)
    {
        if (context.Get(heads) is { } count && count < 1)
            throw new UserErrorException($"--num-heads must be at least 1, not {count}.") { IsUsage = true };
        return new BackboneChoice { Student = context.Get(student), Heads = context.Get(heads), AllowPartial = context.Get(allowPartial) };
    }

    /// <exception cref="UserErrorException">There is no such file, or no such network in it.</exception>
    public static LoadedBackbone Open(CommandContext context, Device device)
    {
        var loaded = LoadedBackbone.Open(PathOf(context), device, Choice(context));
        if (!loaded.Report.IsWhole)
            context.Say($"{PathOf(context)} fits in part: {loaded.Report.Missing.Count} tensors are missing, "
                + $"{loaded.Report.Misshapen.Count} have another shape, {loaded.Report.Unexpected.Count} are not used.");
        return loaded;
    }
}
