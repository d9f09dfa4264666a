using Dino.Tensors.Kernels;

namespace Dino.Tensors.Optim;

/// <summary>
/// Clips each parameter's gradient by its own L2 norm: the factor is min(1, limit / (‖g‖ + 10⁻⁶)), applied by whoever reads the
/// gradient next. Two launches: the norms of chunks, then of those of each parameter.
/// </summary>
internal sealed class GradientClip : IDisposable
{
    private readonly ChunkTable table;
    private readonly Device device;
    private readonly Tensor partials;

    public GradientClip(ChunkTable table)
    {
        this.table = table;
        device = table.Chunks.Device;
        int parameters = table.Parameters.Count;
        partials = device.RentUnowned(new Shape(table.ChunkCount));
        Norms = device.RentUnowned(new Shape(parameters));
        Factors = device.RentUnowned(new Shape(parameters));
        Norms.Fill(0);
    }

    /// <summary>‖g‖ of each parameter before clipping: (P).</summary>
    public Tensor Norms { get; }

    /// <summary>What to multiply each gradient by: (P).</summary>
    public Tensor Factors { get; }

    /// <summary>Measures the gradients. A limit of 0 leaves all factors 1.</summary>
    public void Run(Tensor gradients, float limit)
    {
        int chunks = table.ChunkCount, parameters = table.Parameters.Count;
        int mean = chunks / Math.Max(1, parameters);
        if (device.IsHost)
        {
            RowLoop<ChunkNorms<Simd, HostMemory>>.OnHost(
                device, chunks, ChunkTable.ChunkLength, new(HostMemory.Of(table.Chunks), HostMemory.Of(gradients), HostMemory.Of(partials)));
            RowLoop<Finish<Simd, HostMemory>>.OnHost(device, parameters, mean, new(
                limit, HostMemory.Of(table.Ranges), HostMemory.Of(partials), HostMemory.Of(Norms), HostMemory.Of(Factors)));
        }
        else
        {
            RowLoop<ChunkNorms<Lane, ViewMemory>>.OnAccelerator(
                device, chunks, ChunkTable.ChunkLength, new(ViewMemory.Of(table.Chunks), ViewMemory.Of(gradients), ViewMemory.Of(partials)));
            RowLoop<Finish<Lane, ViewMemory>>.OnAccelerator(device, parameters, mean, new(
                limit, ViewMemory.Of(table.Ranges), ViewMemory.Of(partials), ViewMemory.Of(Norms), ViewMemory.Of(Factors)));
        }
    }

    public void Dispose()
    {
        partials.Dispose();
        Norms.Dispose();
        Factors.Dispose();
    }

    /// <summary>The norm of each chunk.</summary>
    internal readonly struct ChunkNorms<T, TMemory>(TMemory chunks, TMemory gradients, TMemory partials) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory chunks = chunks, gradients = gradients, partials = partials;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory norms = partials;
            int at = row * ChunkTable.Columns;
            float norm = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(gradients), chunks.Int(at), chunks.Int(at + 1));
            if (lanes.Id == 0)
                norms[row] = norm;
        }
    }

    internal readonly struct Finish<T, TMemory>(float limit, TMemory ranges, TMemory partials, TMemory norms, TMemory factors) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float limit = limit;
        private readonly TMemory ranges = ranges, partials = partials, norms = norms, factors = factors;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory norm = norms, factor = factors;
            float length = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(partials), ranges.Int(2 * row), ranges.Int(2 * row + 1));
            if (lanes.Id != 0)
                return;
            float ratio = limit / (length + 1e-6f);
            norm[row] = length;
            factor[row] = limit > 0 && ratio < 1 ? ratio : 1;
        }
    }
}
