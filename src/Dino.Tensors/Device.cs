using System.Globalization;
using Dino.Tensors.Kernels;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace Dino.Tensors;

/// <summary>How a <see cref="Device"/> is set up.</summary>
public sealed record DeviceOptions
{
    /// <summary>Host threads of the <c>cpu</c> device; 0 takes as many as the process may use.</summary>
    public int Threads { get; init; }

    /// <summary>The arithmetic of matrix products and attention.</summary>
    public Precision Precision { get; init; }

    /// <summary>Whose matrix products.</summary>
    public Blas Blas { get; init; }

    /// <summary>Bytes to take of the device's memory at most, to leave the rest to others; 0 for all of it.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>
    /// On <c>cpu:debug</c>: threads of a group run one after the other, each from barrier to barrier, in the order of their numbers. Who reads
    /// what a later one has yet to write then always reads too early, so that a missing barrier shows.
    /// </summary>
    public bool InOrder { get; init; }

    /// <summary>
    /// For tests: memory that is handed out holds NaN, and ended tensors are never reused, so that reading what was not written and using
    /// what has ended both show.
    /// </summary>
    public bool Strict { get; init; }
}

/// <summary>
/// One place to compute: an accelerator or the host's cores, with its memory pool and kernels. Used by one thread at a time.
/// </summary>
public sealed class Device : IDisposable
{
    /// <summary>The most threads in a group that any kernel here asks for.</summary>
    internal const int MaxGroupSize = 256;

    private readonly Context? context;
    private readonly bool strict;
    private readonly Stack<Tensor> shells = [];
    private readonly Stack<Arena> arenas = [];
    private readonly HostTeam? team;
    private Arena? current;

    private Device(string name, DeviceOptions options)
    {
        Name = name;
        Description = $"{Environment.ProcessorCount} cores, {System.Numerics.Vector<float>.Count} floats a vector";
        strict = options.Strict;
        Precision = options.Precision;
        team = new HostTeam(options.Threads > 0 ? options.Threads : Environment.ProcessorCount);
        MemoryBytes = Limited(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, options);
        // The host promises more than it has, and ends the process when the promise is called in.
        MemoryLimit = MemoryBytes;
        Pool = new BufferPool(this);
    }

    private Device(string name, DeviceOptions options, Context context, ILGPU.Runtime.Device hardware)
    {
        var accelerator = hardware is CPUDevice simulated
            ? simulated.CreateCPUAccelerator(context, options.InOrder ? CPUAcceleratorMode.Sequential : CPUAcceleratorMode.Parallel)
            : hardware.CreateAccelerator(context);
        Name = name;
        Description = accelerator.Name;
        strict = options.Strict;
        this.context = context;
        Accelerator = accelerator;
        MemoryBytes = Limited(accelerator.MemorySize, options);
        MemoryLimit = options.MemoryBytes > 0 ? MemoryBytes : long.MaxValue; // what is left, the driver knows
        Precision = options.Precision;
        UsesTensorCores = Precision != Precision.Fp32 && Accelerators.HasTensorCores(hardware);
        Multiprocessors = accelerator.NumMultiprocessors;
        GroupSize = Math.Min(accelerator.MaxNumThreadsPerGroup, accelerator.AcceleratorType == AcceleratorType.CPU ? 16 : MaxGroupSize);
        Pool = new BufferPool(this);
    }

    /// <summary>As it was opened: <c>cpu</c>, <c>cpu:debug</c>, <c>cuda:0</c>, <c>opencl:0</c>.</summary>
    public string Name { get; }

    /// <summary>The hardware's own name.</summary>
    public string Description { get; }

    /// <summary>The memory of the device in bytes, or what may be used of it (<see cref="DeviceOptions.MemoryBytes"/>).</summary>
    public long MemoryBytes { get; }

    /// <summary>The arithmetic of matrix products and attention; all else is float.</summary>
    public Precision Precision { get; }

    /// <summary>The device's memory, handed out and taken back.</summary>
    public BufferPool Pool { get; }

    /// <summary>How many kernels were launched so far; plain copies and fills do not count.</summary>
    public long Launches => team?.Runs ?? Launchers.Launches;

    /// <summary>The tape that records now, if any.</summary>
    public Tape? Tape { get; internal set; }

    /// <summary>Whether kernels run vectorised on the host's cores instead of an accelerator.</summary>
    internal bool IsHost => Accelerator is null;

    /// <summary>Whether kernels run on simulated GPU threads.</summary>
    internal bool IsSimulated => Accelerator is { AcceleratorType: AcceleratorType.CPU };

    /// <summary>
    /// Whether large matrix products and attention run on tensor cores: on NVIDIA GPUs of compute capability 8.0 and later in another precision
    /// than <see cref="Precision.Fp32"/>, and simulated on <c>cpu:debug</c>. Other devices round the operands before each product: the same
    /// numbers, but no faster.
    /// </summary>
    public bool UsesTensorCores { get; }

    /// <summary>The vendor's matrix products, if they were asked for.</summary>
    internal VendorProduct? VendorProduct { get; private set; }

    internal Accelerator? Accelerator { get; }

    internal int Multiprocessors { get; }

    /// <summary>What the pool may hold before it does not even ask.</summary>
    internal long MemoryLimit { get; }

    /// <summary>What the driver has left, other programs considered; null where it does not say.</summary>
    internal long? FreeBytes => Accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : null;

    internal AcceleratorStream Stream => Accelerator!.DefaultStream;

    internal HostTeam Team => team!;

    internal LauncherTable Launchers { get; } = new();

    /// <summary>Threads a group for the generic loops: a power of two.</summary>
    internal int GroupSize { get; }

    /// <summary>
    /// Opens a device: <c>auto</c> (CUDA, then an OpenCL GPU, then <c>cpu</c>), <c>cuda:N</c>, <c>opencl:N</c>, <c>cpu</c> (the host's cores,
    /// vectorised) or <c>cpu:debug</c> (kernels on simulated GPU threads, for breakpoints).
    /// </summary>
    /// <exception cref="ArgumentException">The name is none of these.</exception>
    /// <exception cref="DeviceNotFoundException">There is no such device here, or no such library for it.</exception>
    public static Device Open(string name = "auto", DeviceOptions? options = null)
    {
        options ??= new DeviceOptions();
        var device = OpenNamed(name, options);
        if (options.Blas == Blas.Own)
            return device;
        try
        {
            device.VendorProduct = new VendorProduct(device);
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>Opens a scope of temporary tensors.</summary>
    public Arena BeginArena()
    {
        var arena = arenas.Count > 0 ? arenas.Pop() : new Arena(this);
        arena.Parent = current;
        return current = arena;
    }

    /// <summary>Waits until everything that was asked of the device is done.</summary>
    /// <exception cref="KernelIndexException">On <c>cpu:debug</c>: a kernel reached outside a tensor or its shared memory.</exception>
    /// <exception cref="KernelRaceException">On <c>cpu:debug</c>: a kernel lacks a barrier.</exception>
    public void Synchronize()
    {
        Accelerator?.Synchronize();
        if (IsSimulated)
            CheckedView.ThrowIfReported();
    }

    /// <summary>Frees all memory of the device, tensors still in use included.</summary>
    public void Dispose()
    {
        team?.Dispose();
        try
        {
            Pool.FreeAll();
            VendorProduct?.Dispose();
            Accelerator?.Dispose();
            context?.Dispose();
        }
        catch (AcceleratorException)
        {
            // A device that was lost takes nothing back, and whoever ends it here already knows: its memory ends with the process.
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Description})";

    /// <summary>An uninitialised tensor of the current arena.</summary>
    internal Tensor Rent(Shape shape, DType type = DType.Float32) => Owned(RentUnowned(shape, type));

    /// <summary>An uninitialised tensor of no arena.</summary>
    internal Tensor RentUnowned(Shape shape, DType type = DType.Float32)
    {
        var tensor = Shell();
        tensor.Begin(Pool.Rent(shape.Count), 0, shape, type);
        if (strict)
            tensor.Fill(float.NaN);
        return tensor;
    }

    /// <summary>A tensor of the current arena over memory that the caller has retained.</summary>
    internal Tensor Adopt(Storage storage, int offset, Shape shape, DType type)
    {
        var tensor = Shell();
        tensor.Begin(storage, offset, shape, type);
        return Owned(tensor);
    }

    /// <summary>A tensor of no arena that shares the numbers of another.</summary>
    internal static Tensor AdoptUnowned(Tensor source, Shape shape)
    {
        var alias = source.Alias(shape);
        return alias.Owner?.Disown(alias) ?? alias;
    }

    internal void Recycle(Tensor shell)
    {
        if (!strict)
            shells.Push(shell);
    }

    internal void EndArena(Arena arena)
    {
        if (arena != current)
            throw new InvalidOperationException("Arenas end in the opposite order of their beginning.");
        current = arena.Parent;
        arenas.Push(arena);
    }

    internal void FillOnAccelerator(Tensor tensor, float value) =>
        ElementLoop<FillBody>.OnAccelerator(this, tensor.Count, new FillBody(ViewMemory.Of(tensor), value));

    private static long Limited(long bytes, DeviceOptions options) =>
        options.MemoryBytes <= 0 ? bytes : bytes > 0 ? Math.Min(bytes, options.MemoryBytes) : options.MemoryBytes;

    private Tensor Shell() => shells.Count > 0 ? shells.Pop() : new Tensor(this);

    private Tensor Owned(Tensor tensor)
    {
        current?.Own(tensor);
        return tensor;
    }

    private static Device OpenNamed(string name, DeviceOptions options)
    {
        return name switch
        {
            "cpu" => new Device("cpu", options),
            "cpu:debug" => OpenAccelerator(name, AcceleratorType.CPU, 0, options)!,
            "auto" => OpenAccelerator("cuda:0", AcceleratorType.Cuda, 0, options)
                ?? OpenAccelerator("opencl:0", AcceleratorType.OpenCL, 0, options, gpuOnly: true)
                ?? new Device("cpu", options),
            _ when TryIndex(name, "cuda", out int i) => OpenAccelerator(name, AcceleratorType.Cuda, i, options)
                ?? throw new DeviceNotFoundException($"There is no device {name}: no such NVIDIA GPU, or its driver is missing."),
            _ when TryIndex(name, "opencl", out int i) => OpenAccelerator(name, AcceleratorType.OpenCL, i, options)
                ?? throw new DeviceNotFoundException(
                    $"There is no device {name}: no such OpenCL device with a generic address space (OpenCL C 2.0), or no driver for it."),
            _ => throw new ArgumentException($"'{name}' is not a device; there are auto, cuda:N, opencl:N, cpu and cpu:debug."),
        };
    }

    private static Device? OpenAccelerator(string name, AcceleratorType type, int index, DeviceOptions options, bool gpuOnly = false)
    {
        var context = Accelerators.CreateContext(simulateTensorCores: options.Precision != Precision.Fp32);
        var device = context.Devices.Where(d => d.AcceleratorType == type && (!gpuOnly || Accelerators.IsGpu(d))).ElementAtOrDefault(index);
        if (device is null)
        {
            context.Dispose();
            return null;
        }
        return new Device(name, options, context, device);
    }

    private static bool TryIndex(string name, string kind, out int index)
    {
        index = 0;
        return name.StartsWith(kind, StringComparison.Ordinal)
            && (name.Length == kind.Length || (name[kind.Length] == ':'
                && int.TryParse(name.AsSpan(kind.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out index)));
    }

    internal readonly struct FillBody(ViewMemory destination, float value) : IElementBody
    {
        private readonly ViewMemory destination = destination;
        private readonly float value = value;

        public void At(int i, int end)
        {
            ViewMemory y = destination;
            y[i] = value;
        }
    }
}

/// <summary>The machine has no device of the name that was asked for.</summary>
public sealed class DeviceNotFoundException : Exception
{
    /// <summary>An exception without a message.</summary>
    public DeviceNotFoundException() { }

    /// <summary>Says which device, and what may be missing.</summary>
    public DeviceNotFoundException(string message) : base(message) { }

    /// <summary>Says which device, and what may be missing.</summary>
    public DeviceNotFoundException(string message, Exception inner) : base(message, inner) { }
}
