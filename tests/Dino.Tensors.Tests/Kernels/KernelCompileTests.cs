using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Dino.Tensors.Kernels;
using Dino.Tensors.Tests.Ops;
using Dino.Testing;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using NUnit.Framework;
using Kernel = Dino.Tensors.Kernels.Kernel;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// Every kernel compiles to PTX for sm_80 without a GPU, and assembles into registers. The assembler is the program that DINO_PTXAS names;
/// without it that half is inconclusive.
/// </summary>
[Category("Ptx")]
public sealed partial class KernelCompileTests
{
    /// <summary>One context for all kernels, until one fails to compile: that leaves a context unusable.</summary>
    private static (Context Context, PTXBackend Backend)? compiler;

    public static IEnumerable<TestCaseData> Kernels => KernelTable.All.Select(kernel =>
        new TestCaseData(kernel.Name).SetArgDisplayNames(kernel.Name));

    public static IEnumerable<Type> Bodies => typeof(IElementBody).Assembly.GetTypes().Where(t =>
        t.IsValueType && (t.IsAssignableTo(typeof(IElementBody)) || t.IsAssignableTo(typeof(IRowBody))));

    [OneTimeTearDown]
    public void Close() => Reset();

    [Test]
    public void Table_HoldsNotTooMany() =>
        Assert.That(KernelTable.All, Has.Count.InRange(6, 120), "at most 120 kernels a device: each costs time at the first step");

    /// <summary>ILGPU's CPU accelerator emits code that holds a kernel's arguments and cannot see private types.</summary>
    [TestCaseSource(nameof(Bodies))]
    public void Body_IsNotPrivate(Type body)
    {
        for (Type? type = body; type is not null; type = type.DeclaringType)
            Assert.That(type.IsNestedPrivate, Is.False, $"{type} must be internal for cpu:debug");
    }

    [TestCaseSource(nameof(Kernels))]
    public void Kernel_CompilesAndAssembles(string name)
    {
        string ptx = Compile(KernelTable.All.Single(k => k.Name == name));
        Assert.That(Double().Match(ptx).Value, Is.Empty, "double precision in the kernel: a constant or Math.X in place of MathF.X");
        if (Environment.GetEnvironmentVariable("DINO_PTXAS") is not { Length: > 0 } assembler)
        {
            Assert.Inconclusive("DINO_PTXAS names no assembler.");
            return;
        }
        string report = Assemble(assembler, ptx);
        TestContext.Out.WriteLine(report);
        Assert.That(Number(Stack(), report), Is.LessThanOrEqualTo(16), "bytes of stack: an array or a loop that was to be unrolled\n" + report);
        Assert.That(Number(Spills(), report), Is.Zero, "registers spilled\n" + report);
    }

    /// <summary>What runs is in the table, so that nothing is launched that has not been compiled here.</summary>
    [Test]
    public void EveryLaunchedKernel_IsInTheTable()
    {
        var device = Devices.Open("cpu:debug");
        foreach (var c in OpCoverageTests.Cases.DistinctBy(c => c.Name.Split(' ')[0]))
            OpCheck.Parity(Devices.Open("cpu"), device, c);
        Assert.That(Kernel.All().Select(k => k.Name), Is.SubsetOf(KernelTable.All.Select(k => k.Name)));
    }

    private static string Compile(Kernel kernel)
    {
        compiler ??= Create();
        try
        {
            var entry = EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Entry);
            return ((PTXCompiledKernel)compiler.Value.Backend.Compile(entry, kernel.Specialization)).PTXAssembly;
        }
        catch
        {
            Reset();
            throw;
        }
    }

    private static (Context, PTXBackend) Create()
    {
        var context = Context.Create(Accelerators.Configure);
        var architecture = CudaArchitecture.SM_80;
        return (context, new PTXBackend(context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_78, null!));
    }

    private static void Reset()
    {
        compiler?.Backend.Dispose();
        compiler?.Context.Dispose();
        compiler = null;
    }

    private static string Assemble(string assembler, string ptx)
    {
        string source = Path.GetTempFileName();
        try
        {
            File.WriteAllText(source, ptx);
            using var process = Process.Start(new ProcessStartInfo(assembler, ["-v", "-arch=sm_90", source, "-o", "/dev/null"])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
            var output = process.StandardOutput.ReadToEndAsync();
            string report = process.StandardError.ReadToEnd();
            process.WaitForExit();
            report = output.Result + report;
            Assert.That(process.ExitCode, Is.Zero, report + ptx);
            return report;
        }
        finally
        {
            File.Delete(source);
        }
    }

    private static int Number(Regex pattern, string report) =>
        pattern.Matches(report).Sum(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^.*\.f64.*$", RegexOptions.Multiline)]
    private static partial Regex Double();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex Stack();

    [GeneratedRegex(@"(\d+) bytes spill")]
    private static partial Regex Spills();
}
