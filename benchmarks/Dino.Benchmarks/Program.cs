using System.CommandLine;
using System.Globalization;
using Dino.Benchmarks.Commands;
using Dino.Pictures.DataSets;
using Dino.Tensors;

namespace Dino.Benchmarks;

/// <summary>Times what training consists of, alone or against other programs, and the machine's own limits.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var root = new RootCommand("Times training and its parts, alone or against libtorch and Pillow.")
        {
            StepCommand.Create(),
            OpsCommand.Create(),
            InferCommand.Create(),
            CropsCommand.Create(),
            PeakCommand.Create(),
            GrowthCommand.Create(),
            RooflineCommand.Create(),
            GpuCommand.Create(),
            CompareCommand.Create(),
            CompareOpsCommand.Create(),
            CompareInferCommand.Create(),
            CompareCropsCommand.Create(),
            CompareDecodeCommand.Create(),
        };
        try
        {
            return root.Parse(arguments).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception) when (exception
            is ProgramFailedException or ImageFolderException or ArgumentException or IOException or DeviceNotFoundException)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }
}
