using System.Reflection;
using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels.Simt;
using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors.Kernels;

/// <summary>
/// A closed accelerator kernel. Its launcher is made once per device and kept there under the kernel's slot; every kernel made is
/// listed, so that a test can compile all that the library can launch.
/// </summary>
internal abstract class Kernel
{
    private static readonly List<Kernel> all = [];

    private protected Kernel(Delegate entry, KernelSpecialization specialization, bool tensorCores)
    {
        (Entry, Specialization, NeedsTensorCores) = (entry.Method, specialization, tensorCores);
        lock (all)
        {
            Slot = all.Count;
            all.Add(this);
        }
    }

    /// <summary>The static method that the device runs.</summary>
    public MethodInfo Entry { get; }

    public KernelSpecialization Specialization { get; }

    /// <summary>Whether it runs on NVIDIA's sm_80 and later alone (and on simulated threads, in warps of 32).</summary>
    public bool NeedsTensorCores { get; }

    public string Name => Describe(Entry.DeclaringType!) + "." + Entry.Name
        + (Entry.IsGenericMethod ? "<" + string.Join(", ", Entry.GetGenericArguments().Select(Describe)) + ">" : "");

    private protected int Slot { get; }

    /// <summary>Every kernel made so far in this process.</summary>
    public static IReadOnlyList<Kernel> All()
    {
        lock (all)
            return [.. all];
    }

    /// <summary>Demands that ILGPU's own code can see what the kernel is given; its error names neither the type nor the remedy.</summary>
    private protected void ThrowIfHidden()
    {
        foreach (var parameter in Entry.GetParameters())
        {
            if (Hidden(parameter.ParameterType) is { } type)
                throw new InvalidOperationException(
                    $"{type} is a body of a kernel, or part of one, and must be public with all types around it; or internal, in an "
                        + $"assembly with "
                    + "[assembly: InternalsVisibleTo(\"ILGPURuntime\")].");
        }
    }

    /// <summary>The first type that ILGPU's assembly cannot see: of the type itself, those around it and its arguments.</summary>
    private static Type? Hidden(Type type)
    {
        bool isFriend = type.Assembly.GetCustomAttributes<InternalsVisibleToAttribute>().Any(a => a.AssemblyName == "ILGPURuntime");
        for (Type? t = type; t is not null; t = t.DeclaringType)
        {
            if (!(t.IsPublic || t.IsNestedPublic || (isFriend && (t.IsNotPublic || t.IsNestedAssembly || t.IsNestedFamORAssem))))
                return t;
        }
        return type.GetGenericArguments().Select(Hidden).FirstOrDefault(t => t is not null);
    }

    private static string Describe(Type type)
    {
        string outer = type.IsNested ? type.DeclaringType!.Name.Split('`')[0] + "." : "";
        string[] arguments = [.. type.GetGenericArguments().Select(Describe)];
        return outer + type.Name.Split('`')[0] + (arguments.Length > 0 ? "<" + string.Join(", ", arguments) + ">" : "");
    }
}

/// <inheritdoc/>
/// <typeparam name="TLaunch">Action of stream, <see cref="KernelConfig"/> and the arguments of the entry method.</typeparam>
internal sealed class Kernel<TLaunch>(Delegate entry, KernelSpecialization specialization = default, bool tensorCores = false)
    : Kernel(entry, specialization, tensorCores)
    where TLaunch : Delegate
{
    /// <summary>The launcher on a device; ask for it once a launch, so that launches are counted.</summary>
    public TLaunch On(Device device)
    {
        device.ThrowIfDisposed();
        device.Claim.Check();
        device.Interrupt.ThrowIfCancellationRequested();
        device.Launchers.Launches++;
        if (device.IsSimulated)
            CheckedView.Begin(this);
        return device.Launchers.TryGet(Slot) is { } launcher ? (TLaunch)launcher : Load(device);
    }

    private TLaunch Load(Device device)
    {
        ThrowIfHidden();
        var launcher = device.Accelerator!.LoadKernel<TLaunch>(Entry, Specialization);
        device.Launchers.Set(Slot, launcher);
        return launcher;
    }
}

/// <summary>The launchers of one device by kernel slot. Holding the delegates keeps the compiled kernels alive.</summary>
internal sealed class LauncherTable
{
    private Delegate?[] launchers = new Delegate?[64];

    /// <summary>How many kernels were launched so far.</summary>
    public long Launches { get; set; }

    /// <summary>How many kernels were loaded, each compiled by the driver before its first launch.</summary>
    public int Loaded { get; private set; }

    public Delegate? TryGet(int slot) => slot < launchers.Length ? launchers[slot] : null;

    public void Set(int slot, Delegate launcher)
    {
        if (slot >= launchers.Length)
            Array.Resize(ref launchers, Math.Max(slot + 1, 2 * launchers.Length));
        launchers[slot] = launcher;
        Loaded++;
    }
}
