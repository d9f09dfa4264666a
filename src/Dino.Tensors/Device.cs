using System.Globalization;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Kernels.Simt;
using Dino.Tensors.Memory;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace Dino.Tensors;

/// <summary>
/// One place to compute: an accelerator or the host's cores, with its memory pool and kernels.
/// </summary>
/// <remarks>
/// One thread at a time uses a device: from the beginning of its outermost <see cref="Arena"/> or of a recording to the end, it belongs to
/// the thread that began it, and a call from another is an <see cref="InvalidOperationException"/>. In between it may pass from thread to
/// thread; a process may hold several. Tensors end with their device.
/// </remarks>
public sealed class Device : IDisposable
{
    /// <summary>The most threads in a group that any kernel here asks for.</summary>
    internal const int MaxGroupSize = 256;

    private readonly Context? context;
    private readonly LeakWatch? leaks; // of a strict device
    private readonly Stack<Tensor> shells = [];
    private readonly Stack<Arena> arenas = [];
    private readonly HostTeam? team;
    private Arena? current;
    private bool disposed;
    private CancellationToken interrupt;

    private Device(string name, DeviceOptions options)
    {
        Name = name;
        Description = $"{Environment.ProcessorCount} cores, {System.Numerics.Vector<float>.Count} floats a vector";
        Claim = new ThreadClaim(name);
        leaks = options.Strict ? new LeakWatch(this, options.OnWarning) : null;
        Precision = options.Precision;
        team = new HostTeam(options.Threads > 0 ? options.Threads : Environment.ProcessorCount, Claim);
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
        Claim = new ThreadClaim(name);
        leaks = options.Strict ? new LeakWatch(this, options.OnWarning) : null;
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

    /// <summary>
    /// Ends work on the device between two kernels when it is cancelled: the op throws <see cref="OperationCanceledException"/>, and
    /// tensors that it
    /// was to fill hold anything. The device can be used afterwards, with another token.
    /// </summary>
    public CancellationToken Interrupt
    {
        get => interrupt;
        set
        {
            interrupt = value;
            if (team is not null)
                team.Interrupt = value;
        }
    }

    /// <summary>The tape that records now, if any.</summary>
    public Tape? Tape { get; internal set; }

    /// <summary>
    /// Whether a part of a network is being computed again for its backward pass (<see cref="Ops.RecomputeOp"/>). What a forward pass
    /// changes
    /// besides its result, such as running statistics, it changed the first time.
    /// </summary>
    public bool IsRecomputing { get; internal set; }

    /// <summary>How often the host has waited for the device so far.</summary>
    internal long Waits { get; set; }

    internal bool IsDisposed => disposed;

    /// <summary>The thread that uses the device now.</summary>
    internal ThreadClaim Claim { get; }

    /// <summary>The innermost arena that is open.</summary>
    internal Arena? CurrentArena => current;

    /// <summary>Whether it is the host: kernels run vectorised on its cores instead of an accelerator's threads.</summary>
    public bool IsHost => Accelerator is null;

    /// <summary>Whether kernels run on simulated GPU threads.</summary>
    internal bool IsSimulated => Accelerator is { AcceleratorType: AcceleratorType.CPU };

    /// <summary>
    /// Whether large matrix products and attention run on tensor cores: on NVIDIA GPUs of compute capability 8.0 and later in another
    /// precision
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

    /// <summary>Threads of a group on an accelerator: a power of two, up to 256. 0 on the host, which has none.</summary>
    public int GroupSize { get; }

    /// <summary>
    /// Opens a device: <c>auto</c> (CUDA, then an OpenCL GPU, then <c>cpu</c>), <c>cuda:N</c>, <c>opencl:N</c>, <c>cpu</c> (the host's
    /// cores,
    /// vectorised) or <c>cpu:debug</c> (kernels on simulated GPU threads, for breakpoints).
    /// </summary>
    /// <exception cref="ArgumentException">The name is none of these.</exception>
    /// <exception cref="DeviceNotFoundException">There is no such device here, or no such library for it.</exception>
    public static Device Open(string name = "auto", DeviceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(name);
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
    /// <param name="reuseTensors">
    /// For loops that must not allocate. Without it, using what has ended is an <see cref="ObjectDisposedException"/> for ever. With it,
    /// the
    /// objects of the scope's tensors are used again once it has ended, and those of arenas inside it: a tensor, or the arena, that
    /// somebody
    /// holds on to beyond that end becomes another one. (Until then a tensor that was disposed says so, and a second Dispose does nothing.)
    /// A <see cref="DeviceOptions.Strict"/> device never reuses any, so that the tests of such a loop find what it holds for too long.
    /// </param>
    /// <exception cref="InvalidOperationException">Another thread has an arena open here, or records.</exception>
    public Arena BeginArena(bool reuseTensors = false) => Begin(reuseTensors, isScope: false);

    /// <summary>Opens a scope of an op's own temporary tensors.</summary>
    internal Arena BeginScope() => Begin(reuseTensors: false, isScope: true);

    /// <summary>Launches the bodies of an op: vectorised on the host's cores, a thread a number on an accelerator.</summary>
    /// <param name="launch">The op's tensors, which are on this device, and its way to make bodies of them.</param>
    /// <exception cref="ObjectDisposedException">A tensor or the device has ended.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the device.</exception>
    public void Launch<TLaunch>(TLaunch launch) where TLaunch : struct, ILaunch
    {
        if (IsHost)
            launch.On<Simd, HostMemory, HostRun>(new(this));
        else
            launch.On<Lane, ViewMemory, AcceleratorRun>(new(this));
    }

    /// <summary>Launches groups of <see cref="GroupSize"/> threads that share memory; on accelerators alone.</summary>
    /// <param name="groups">How many groups.</param>
    /// <param name="body">The work.</param>
    /// <exception cref="NotSupportedException">The device is the host (<see cref="IsHost"/>).</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the device.</exception>
    public void LaunchGroups<TBody>(int groups, in TBody body) where TBody : struct, IGroupBody
    {
        if (IsHost)
            throw new NotSupportedException($"{Name} has no groups of threads: that work is for accelerators.");
        GroupLoop<TBody>.OnAccelerator(this, groups, body);
    }

    /// <summary>Waits until everything that was asked of the device is done.</summary>
    /// <exception cref="KernelIndexException">On <c>cpu:debug</c>: a kernel reached outside a tensor or its shared memory.</exception>
    /// <exception cref="KernelRaceException">On <c>cpu:debug</c>: a kernel lacks a barrier.</exception>
    public void Synchronize()
    {
        ThrowIfDisposed();
        Claim.Check();
        if (Accelerator is null)
            return;
        Waits++;
        Accelerator.Synchronize();
        if (IsSimulated)
            CheckedView.ThrowIfReported();
    }

    /// <summary>
    /// Frees all memory of the device, tensors still in use included; using one then is an <see cref="ObjectDisposedException"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another thread uses the device.</exception>
    public void Dispose()
    {
        if (disposed)
            return;
        Claim.Check();
        leaks?.DeviceEnds();
        (disposed, Tape) = (true, null);
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
    internal Tensor Rent(Shape shape, DType type = DType.Float32) => Owned(RentUnowned(shape, type, current is { ReusesTensors: true }));

    /// <summary>An uninitialised tensor of no arena, whose object is used again if that is asked for.</summary>
    internal Tensor RentUnowned(Shape shape, DType type = DType.Float32, bool reusable = false)
    {
        ThrowIfDisposed();
        Claim.Enter();
        try
        {
            var memory = Pool.Rent(shape.Count, type);
            var tensor = Shell(reusable);
            tensor.Begin(memory, memory.Writes, 0, shape, type);
            if (leaks is not null)
                tensor.FillBits(float.NaN);
            return tensor;
        }
        finally
        {
            Claim.Leave();
        }
    }

    /// <summary>A tensor of the current arena over memory that the caller has retained.</summary>
    internal Tensor Adopt(Storage storage, WriteCount writes, int offset, Shape shape, DType type)
    {
        var tensor = Shell(current is { ReusesTensors: true });
        tensor.Begin(storage, writes, offset, shape, type);
        return Owned(tensor);
    }

    /// <summary>
    /// A tensor of no arena that shares the numbers of another; its object is used again if those of the current arena are.
    /// </summary>
    internal static Tensor AdoptUnowned(Tensor source, Shape shape)
    {
        var alias = source.Alias(shape);
        alias.Owner?.Disown(alias);
        return alias;
    }

    internal void Recycle(Tensor shell)
    {
        if (leaks is null && shell.IsReusable && !disposed)
            shells.Push(shell);
    }

    /// <summary>Closes an arena, whose tensors then end; <see cref="Release"/> follows.</summary>
    internal void EndArena(Arena arena)
    {
        Claim.Check();
        if (arena != current)
            throw new InvalidOperationException("Arenas end in the opposite order of their beginning.");
        leaks?.ArenaEnds(arena);
        current = arena.Parent;
    }

    /// <summary>Takes an arena back, once its tensors have ended.</summary>
    internal void Release(Arena arena)
    {
        if ((arena.ReusesTensors || arena.IsScope) && leaks is null)
            arenas.Push(arena);
        if (current is null && !disposed)
            Pool.Tick();
        Claim.Leave();
    }

    /// <summary>Notes that a tensor of no arena, made while none was open, has ended.</summary>
    internal void EndLoose() => leaks?.LooseEnds();

    internal void ThrowIfDisposed()
    {
        if (disposed)
            throw new ObjectDisposedException(nameof(Device), $"Device {Name} has been disposed, and all its tensors with it.");
    }

    internal void FillOnAccelerator(Tensor tensor, float value) =>
        ElementLoop<FillBody>.OnAccelerator(this, tensor.Count, new FillBody(ViewMemory.Of(tensor), value));

    private static long Limited(long bytes, DeviceOptions options) =>
        options.MemoryBytes <= 0 ? bytes : bytes > 0 ? Math.Min(bytes, options.MemoryBytes) : options.MemoryBytes;

    private Arena Begin(bool reuseTensors, bool isScope)
    {
        ThrowIfDisposed();
        Claim.Enter();
        bool reuse = reuseTensors || current is { ReusesTensors: true };
        var arena = (reuse || isScope) && arenas.Count > 0 ? arenas.Pop() : new Arena(this);
        arena.Begin(current, reuse, isScope);
        current = arena;
        leaks?.ArenaBegins(arena);
        return arena;
    }

    private Tensor Shell(bool reusable)
    {
        var shell = reusable && shells.Count > 0 ? shells.Pop() : new Tensor(this);
        shell.MakeReusable(reusable);
        return shell;
    }

    private Tensor Owned(Tensor tensor)
    {
        if (current is { } arena)
            arena.Own(tensor);
        else if (leaks is not null)
        {
            tensor.IsLoose = true;
            leaks.LooseBegins();
        }
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
