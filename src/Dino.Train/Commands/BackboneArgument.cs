using System.CommandLine;
using Dino.Model;
using Dino.Tensors;
using Dino.Train.Cli;

namespace Dino.Train.Commands;

/// <summary>The network that a command looks at: <c>CHECKPOINT</c> and <c>--student</c>. The one place where commands open a model.</summary>
internal static class BackboneArgument
{
    private static readonly Argument<string> checkpoint = new("CHECKPOINT") { Description = "A checkpoint of dino train." };
    private static readonly Option<bool> student = new("--student") { Description = "Take the student instead of the teacher." };

    /// <summary>Adds the argument, which comes before the command's others, and the option.</summary>
    public static void AddTo(Command command)
    {
        command.Arguments.Insert(0, checkpoint);
        command.Options.Add(student);
    }

    /// <summary>The network on the device, and the size in pixels of the square pictures that it was trained on.</summary>
    /// <exception cref="UserErrorException">The file holds no network.</exception>
    public static (VisionTransformer Backbone, int PictureSize) Open(CommandContext context, Device device)
    {
        var (backbone, _, info) = Checkpoint.LoadBackbone(Path(context), device, context.Get(student));
        return (backbone, info.Options.Crops.GlobalCropsSize);
    }

    /// <summary>The file.</summary>
    public static string Path(CommandContext context) => context.Get(checkpoint)!;

    /// <summary>Which of the file's networks, for the record of a run.</summary>
    public static string Network(CommandContext context) => context.Get(student) ? "student" : "teacher";
}
