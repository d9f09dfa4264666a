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
        device.Launch(new Launch(table, limit, gradients, partials, Norms, Factors));
    }

    public void Dispose()
    {
        partials.Dispose();
        Norms.Dispose();
        Factors.Dispose();
    }

    private readonly struct Launch(
        ChunkTable table, float limit, Tensor gradients, Tensor partials, Tensor norms, Tensor factors) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int chunks = table.ChunkCount, parameters = table.Parameters.Count;
            run.Rows(chunks, ChunkTable.ChunkLength, new ChunkNorms<T, TMemory>(
                TMemory.Of(table.Chunks), TMemory.Of(gradients), TMemory.Of(partials)));
            run.Rows(parameters, chunks / Math.Max(1, parameters), new Finish<T, TMemory>(
                limit, TMemory.Of(table.Ranges), TMemory.Of(partials), TMemory.Of(norms), TMemory.Of(factors)));
        }
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
            var chunk = ParameterChunk.Read<T, TMemory>(chunks, row);
            float norm = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(gradients), chunk.Begin, chunk.End);
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
            float length = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(
                lanes, new(partials), ranges.Int(2 * row), ranges.Int(2 * row + 1));
            if (lanes.Id != 0)
                return;
            float ratio = limit / (length + 1e-6f);
            norm[row] = length;
            factor[row] = limit > 0 && ratio < 1 ? ratio : 1;
        }
    }
}
