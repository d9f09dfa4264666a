using System.Reflection;
using System.Text.RegularExpressions;
using Dino.Tensors.Kernels.Simt;
using Dino.Tensors.Tests.Ops;
using Dino.Testing;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using NUnit.Framework;
using Kernel = Dino.Tensors.Kernels.Kernel;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// Every kernel compiles to PTX without a GPU, and assembles into registers as the committed table says. The assembler is the program that
/// DINO_PTXAS names; without it that half is inconclusive. When a kernel was changed, <c>benchmarks/kernel-table</c> writes the table anew.
/// </summary>
[Category("Ptx")]
public sealed partial class KernelCompileTests
{
    // ILGPU writes no target above sm_80; the assembler takes it from there.
    private static readonly (CudaArchitecture Target, string[] Assembled)[] targets =
        [(CudaArchitecture.SM_75, ["sm_75"]), (CudaArchitecture.SM_80, ["sm_80", "sm_90"])];

    private static readonly Lazy<IReadOnlyList<KernelReport>> committed = new(() =>
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "kernels.csv")).Skip(1).Select(KernelReport.Parse)]);

    private static readonly string? newTable = Environment.GetEnvironmentVariable("DINO_KERNELS_CSV");

    private const string WriteAnew = "If the change is wanted, run benchmarks/kernel-table, which writes it anew, and commit it.";

    /// <summary>Lines of PTX that a driver compiles when a kernel is launched first: its time grows with them.</summary>
    private const int LongestPtx = 40_000;

    private static readonly List<KernelReport> made = [];

    /// <summary>One context a target for all kernels, until one fails to compile: that leaves a context unusable.</summary>
    private static readonly Dictionary<CudaArchitecture, (Context Context, PTXBackend Backend)> compilers = [];

    public static IEnumerable<TestCaseData> Kernels => KernelTable.All.Select(Case);

    /// <summary>Those of every device.</summary>
    public static IEnumerable<TestCaseData> PortableKernels => KernelTable.All.Where(kernel => !kernel.NeedsTensorCores).Select(Case);

    public static IEnumerable<Type> Bodies => KernelTable.Bodies;

    [OneTimeTearDown]
    public void Close()
    {
        foreach (var target in compilers.Keys.ToList())
            Reset(target);
        if (newTable is not null)
            File.WriteAllLines(newTable, [KernelReport.Header, .. made.Select(row => row.ToCsv()).Order(StringComparer.Ordinal)]);
    }

    [Test]
    public void Table_IsFound() => Assert.That(KernelTable.All, Has.Count.GreaterThan(6));

    [Test]
    public void CommittedTable_HoldsEveryKernel_ForEveryArchitecture()
    {
        if (newTable is not null)
            Assert.Inconclusive("The table is being written.");
        Assert.That(
            committed.Value.Select(row => (row.Kernel, row.Arch)),
            Is.EquivalentTo(KernelTable.All.SelectMany(
                kernel => TargetsOf(kernel).SelectMany(t => t.Assembled).Select(arch => (kernel.Name, arch)))),
            "benchmarks/results/kernels.csv does not list the kernels that there are. " + WriteAnew);
    }

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
        var kernel = KernelTable.All.Single(k => k.Name == name);
        string? assembler = Environment.GetEnvironmentVariable("DINO_PTXAS");
        foreach (var (target, assembled) in TargetsOf(kernel))
        {
            string ptx = Compile(kernel, target);
            Assert.That(ptx.Contains("mma.sync", StringComparison.Ordinal), Is.EqualTo(kernel.NeedsTensorCores),
                "tensor-core instructions");
            Assert.That(ptx, Does.Not.Contain("copysign"), "its operands are the wrong way round on CUDA: use bits");
            Assert.That(ptx.AsSpan().Count('\n'), Is.LessThan(LongestPtx), "lines of PTX: they are compiled before the first launch");
            Assert.That(Double().Match(ptx).Value, Is.Empty, "double precision in the kernel: a constant or Math.X in place of MathF.X");
            if (string.IsNullOrEmpty(assembler))
                continue;
            foreach (var row in assembled.AsParallel().AsOrdered().Select(arch => KernelReport.Assemble(assembler, name, ptx, arch)))
                Check(row);
        }
        if (string.IsNullOrEmpty(assembler))
            Assert.Inconclusive("DINO_PTXAS names no assembler.");
    }

    /// <summary>
    /// A blend of pictures is Pillow's to the bit if its product is rounded by itself; the assembler would make it part of an addition.
    /// </summary>
    [Test]
    public void Product_OfABlend_IsRoundedByItself()
    {
        string ptx = Compile(KernelTable.All.Single(k => k.Name == "GroupLoop<ColourKernel.Body>.Entry"), CudaArchitecture.SM_80);
        Assert.That(ptx, Does.Contain("mul.rn.f32"));
        Assert.That(ptx, Does.Not.Contain("fma.rn.f32").And.Not.Contain("mul.f32"));
    }

    /// <summary>
    /// AMD's OpenCL, where warp shuffles do not exist; what is not portable fails here and nowhere else without such a GPU.
    /// </summary>
    [TestCaseSource(nameof(PortableKernels))]
    public void Kernel_CompilesToOpenCL(string name)
    {
        var kernel = KernelTable.All.Single(k => k.Name == name);
        using var context = Context.Create(Accelerators.Configure);
        using var backend = new CLBackend(context, new CLCapabilityContext(
            float16: false, float64: false, genericAddressSpace: true, int64_Atomics: true, subGroups: true), CLDeviceVendor.AMD,
            new CLCVersion(2, 0));

        var compiled = (CLCompiledKernel)backend.Compile(
            EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Entry), kernel.Specialization);

        Assert.That(compiled.Source, Does.Contain("kernel void"));
        Assert.That(Double().Match(compiled.Source).Value, Is.Empty);
    }

    /// <summary>A launch refuses what compiles without complaint: bool is not blittable.</summary>
    [Test]
    public void Arguments_HoldNoBool() => Assert.Multiple(() =>
    {
        foreach (var kernel in KernelTable.All)
        {
            foreach (var parameter in kernel.Entry.GetParameters())
                Assert.That(Fields(parameter.ParameterType), Has.None.EqualTo(typeof(bool)), $"{kernel.Name}, {parameter.Name}");
        }
    });

    /// <summary>What runs is in the table, so that nothing is launched that has not been compiled here.</summary>
    [Test]
    public void EveryLaunchedKernel_IsInTheTable()
    {
        var device = Devices.Open("cpu:debug");
        foreach (var c in OpCoverageTests.Cases.DistinctBy(c => c.Name.Split(' ')[0]))
            OpCheck.Parity(Devices.Open("cpu"), device, c);
        Assert.That(KernelTable.Unlisted, Is.Empty);
    }

    private static TestCaseData Case(Kernel kernel) => new TestCaseData(kernel.Name).SetArgDisplayNames(kernel.Name);

    // Tensor cores of these numbers begin with sm_80.
    private static IEnumerable<(CudaArchitecture Target, string[] Assembled)> TargetsOf(Kernel kernel) =>
        targets.Where(t => !kernel.NeedsTensorCores || t.Target >= CudaArchitecture.SM_80);

    private static IEnumerable<Type> Fields(Type type) =>
        type.IsPrimitive || type.IsEnum || !type.IsValueType ? [type]
        : type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).SelectMany(field => Fields(field.FieldType));

    private static void Check(KernelReport row)
    {
        made.Add(row);
        Assert.That(row.Stack, Is.LessThanOrEqualTo(16), $"bytes of stack on {row.Arch}: an array, or a loop that was to be unrolled");
        Assert.That(row.Spills, Is.Zero, $"registers spilled on {row.Arch}");
        Assert.That(row.Shared, Is.LessThanOrEqualTo(48 * 1024), $"shared memory on {row.Arch}: ILGPU never asks CUDA for more");
        if (newTable is null)
            Assert.That(
                row, Is.EqualTo(committed.Value.FirstOrDefault(r => r.Kernel == row.Kernel && r.Arch == row.Arch)),
                "benchmarks/results/kernels.csv says otherwise. " + WriteAnew);
    }

    private static string Compile(Kernel kernel, CudaArchitecture target)
    {
        if (!compilers.TryGetValue(target, out var compiler))
        {
            var context = Context.Create(Accelerators.Configure);
            var backend = new PTXBackend(context, new CudaCapabilityContext(target), target, CudaInstructionSet.ISA_78, null!);
            compilers[target] = compiler = (context, backend);
        }
        try
        {
            var entry = EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Entry);
            return ((PTXCompiledKernel)compiler.Backend.Compile(entry, kernel.Specialization)).PTXAssembly;
        }
        catch
        {
            Reset(target);
            throw;
        }
    }

    private static void Reset(CudaArchitecture target)
    {
        compilers.Remove(target, out var compiler);
        compiler.Backend.Dispose();
        compiler.Context.Dispose();
    }

    [GeneratedRegex(@"^.*\.f64.*$", RegexOptions.Multiline)]
    private static partial Regex Double();
}
