using System.CommandLine;
using System.Globalization;
using Dino.Benchmarks.Commands;

namespace Dino.Benchmarks;

/// <summary>Times what training consists of, alone or against other programs, and the machine's own limits.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var root = new RootCommand("Times training and its parts, alone or against libtorch.")
        {
            StepCommand.Create(),
            OpsCommand.Create(),
            InferCommand.Create(),
            PeakCommand.Create(),
            CompareCommand.Create(),
            CompareOpsCommand.Create(),
            CompareInferCommand.Create(),
        };
        try
        {
            return root.Parse(arguments).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception) when (exception is ProgramFailedException or ArgumentException or IOException)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }
}
