using Dino.Model.Weights;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Tensors;
using Dino.Train;
using Dino.Train.Evaluation;

namespace Dino.Cli.Arguments;

/// <summary>
/// What the program makes of the errors of its libraries, which name properties: one line that names options, and the code that it ends
/// with. This is
/// the one place where it does.
/// </summary>
internal static class LibraryErrors
{
    /// <summary>The line, with options for properties, and the exit code; null for an error that nobody expects.</summary>
    public static (string Line, int Code)? Of(Exception exception) => exception switch
    {
        UserErrorException { IsUsage: true } or WeightsException { Fault: WeightsFault.HeadsContradicted } =>
            (OneLine(exception), ExitCode.Usage),
        UserErrorException or WeightsException or RunException or EvaluationException or TensorSizeException or ImageFolderException
            or ImageDecodeException => (OneLine(exception), ExitCode.Failure),
        DeviceMemoryException => ($"{OneLine(exception)} A smaller batch or crop needs less.", ExitCode.Failure),
        IOException or UnauthorizedAccessException =>
            ($"{OneLine(exception)} Check the path, the permissions and the space on the disk.", ExitCode.Failure),
        OutOfMemoryException => ("not enough memory. Try smaller crops, a smaller batch or a smaller model.", ExitCode.Failure),
        _ when DeviceLostException.From(exception) is { } lost => (OneLine(lost), ExitCode.Failure),
        _ => null,
    };

    /// <summary>A message without line breaks, with options for properties.</summary>
    public static string OneLine(Exception exception) => OneLine(exception.Message);

    /// <summary>The same of words that are no exception's.</summary>
    public static string OneLine(string message) =>
        OptionNames.InText(string.Join(' ', message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)));
}
