using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// What a kernel takes of a GPU: a row of <c>benchmarks/results/kernels.csv</c>. Sizes are bytes: stack and spills of a thread, shared
/// memory of
/// a group; hmma counts the tensor-core instructions of the PTX.
/// </summary>
internal sealed partial record KernelReport(string Kernel, string Arch, int Registers, int Stack, int Spills, int Shared, int Hmma)
{
    public const string Header = "kernel,arch,registers,stack,spills,shared,hmma";

    /// <summary>Runs NVIDIA's assembler on the PTX of one kernel.</summary>
    public static KernelReport Assemble(string assembler, string kernel, string ptx, string arch)
    {
        string source = Path.GetTempFileName();
        try
        {
            File.WriteAllText(source, ptx);
            using var process = Process.Start(new ProcessStartInfo(assembler, ["-v", $"-arch={arch}", source, "-o", "/dev/null"])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
            var output = process.StandardOutput.ReadToEndAsync();
            string report = process.StandardError.ReadToEnd();
            process.WaitForExit();
            report = output.Result + report;
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{kernel} does not assemble for {arch}.\n{report}{ptx}");
            return new(kernel, arch, Sum(RegistersUsed(), report), Sum(StackFrame(), report), Sum(Spilled(), report),
                Sum(SharedMemory(), report),
                TensorCore().Count(ptx));
        }
        finally
        {
            File.Delete(source);
        }
    }

    /// <summary>A row of the table; names may hold commas and are quoted.</summary>
    public static KernelReport Parse(string line)
    {
        int quote = line.LastIndexOf('"');
        string[] fields = line[(quote + 2)..].Split(',');
        int Field(int i) => int.Parse(fields[i], CultureInfo.InvariantCulture);
        return new(line[1..quote], fields[0], Field(1), Field(2), Field(3), Field(4), Field(5));
    }

    public string ToCsv() => string.Create(CultureInfo.InvariantCulture,
        $"\"{Kernel}\",{Arch},{Registers},{Stack},{Spills},{Shared},{Hmma}");

    private static int Sum(Regex pattern, string report) =>
        pattern.Matches(report).Sum(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex RegistersUsed();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex StackFrame();

    [GeneratedRegex(@"(\d+) bytes spill")]
    private static partial Regex Spilled();

    [GeneratedRegex(@"(\d+) bytes smem")]
    private static partial Regex SharedMemory();

    [GeneratedRegex(@"\bmma\.sync\b")]
    private static partial Regex TensorCore();
}
