using System.Runtime.Intrinsics;
using Dino.Tensors.Kernels.Host;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>The matrix product on the host, in the widest vectors that the machine runs at full speed.</summary>
/// <remarks>
/// The order in which a sum is formed, and the split of the work, depend on the shape alone: results are the same, bit for
/// bit, for every number of threads (on one vector width).
/// </remarks>
internal static unsafe class HostGemm
{
    /// <summary>C = alpha · op(A) · op(B) + beta · C for each matrix of the batch; see <see cref="GemmShape"/>.</summary>
    public static void Run(HostTeam team, in GemmShape shape, float* a, float* b, float* c)
        => Run(team, shape, a, b, c, null, default(NoEpilogue));

    /// <summary>
    /// The same + bias (N), unless that is null, in every row (then alpha is 1); the epilogue is applied to every finished element.
    /// </summary>
    public static void Run<TEpilogue>(HostTeam team, in GemmShape shape, float* a, float* b, float* c, float* bias, TEpilogue epilogue)
        where TEpilogue : struct, IHostEpilogue
    {
        if (Vector512.IsHardwareAccelerated)
            HostGemm<Vector512<float>, Simd512>.Run(team, shape, a, b, c, bias, epilogue);
        else if (Vector256.IsHardwareAccelerated)
            HostGemm<Vector256<float>, Simd256>.Run(team, shape, a, b, c, bias, epilogue);
        else
            HostGemm<Vector128<float>, Simd128>.Run(team, shape, a, b, c, bias, epilogue);
    }
}

/// <summary>The matrix product in one vector width: blocks for the caches, and how they are shared among threads.</summary>
internal static unsafe partial class HostGemm<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    // A block of A (48 × 768 floats, 147 KiB) stays in the second-level cache while the panels of B (16 × 768, 48 KiB) pass by. Shorter
    // blocks of k would keep a panel in the first level, but C would be read and written more often, which costs more.
    // One block takes up to twice that: then C is written once.
    private const int BlockK = 768, MostK = 1536;
    private const int BlockRows = 48;

    // With fewer rows B is read too few times to be worth sharing: each thread packs its own columns on the way.
    private const int NarrowRows = 192;
    private const int NarrowColumns = 64, NarrowItems = 16;
    private const long NarrowA = 1 << 20;

    // Columns that are packed and swept together: the shared copy of B stays near the cores (768 × 2048 floats, 6 MiB).
    private const int SweepColumns = 2048;

    // Below this many multiply-adds for each matrix, one item does the whole matrix.
    private const long SmallWork = 64 * 1024;

    // The attention has slots 3 to 9.
    private const int SharedSlot = 0, SlotA = 1, SlotB = 2, PartialSlot = 10;

    /// <summary>C = alpha · op(A) · op(B) + bias + beta · C, then the epilogue.</summary>
    public static void Run<TEpilogue>(HostTeam team, in GemmShape shape, float* a, float* b, float* c, float* bias, TEpilogue epilogue)
        where TEpilogue : struct, IHostEpilogue
    {
        if (shape.M <= 0 || shape.N <= 0 || shape.Batch <= 0)
            return;
        long work = (long)shape.M * shape.N * Math.Max(shape.K, 1);
        if (work <= SmallWork || (shape.Batch > 1 && work <= 128 * SmallWork))
        {
            RunPrivate(team, shape, a, b, c, bias, epilogue, work);
            return;
        }
        if (shape.Batch == 1 && IsDeep(shape))
        {
            RunDeep(team, shape, a, b, c, bias, epilogue);
            return;
        }
        bool narrow = shape.M <= NarrowRows && (long)shape.M * shape.K <= NarrowA;
        for (int batch = 0; batch < shape.Batch; batch++)
        {
            float* ab = a + batch * shape.StrideA, bb = b + batch * shape.StrideB, cb = c + batch * shape.StrideC;
            if (narrow)
                RunNarrow(team, shape, ab, bb, cb, bias, epilogue);
            else
                RunWide(team, shape, ab, bb, cb, bias, epilogue);
        }
    }

    // Rows of A a multiple of this apart fall into the same few sets of the first-level cache, and evict each other.
    private const int PageOfFloats = 1024;

    private static int Columns => HostTile<TVector, TSimd>.Columns;

    private static int CeilDivide(int a, int b) => (a + b - 1) / b;

    private static int RoundUp(int a, int unit) => CeilDivide(a, unit) * unit;

    /// <summary>Blocks of k of nearly equal length, at least one (empty when K = 0).</summary>
    private static int BlockOfK(int k) => k <= MostK ? k : Math.Min(k, RoundUp(CeilDivide(k, CeilDivide(k, BlockK)), 8));

    /// <summary>Whether A is copied before it is used: to make it contiguous along k, or to part rows that evict each other.</summary>
    private static bool CopiesA(in GemmShape shape) => shape.TransposeA || shape.LdA % PageOfFloats == 0;

    /// <summary>The distance between copied rows: an odd number of cache lines, which spreads them over the sets of a cache.</summary>
    private static int Pitch(int k) => (CeilDivide(k, 16) | 1) * 16;

    /// <summary>Copies op(A)[row … row + rows, k0 … k0 + k] to rows that lie <see cref="Pitch"/> apart.</summary>
    private static void CopyA(in GemmShape shape, float* a, int row, int rows, int k0, int k, float* target, int pitch)
    {
        if (shape.TransposeA)
        {
            HostPacking.Transpose(a + (long)k0 * shape.LdA + row, shape.LdA, k, rows, target, pitch);
            return;
        }
        float* source = a + (long)row * shape.LdA + k0;
        for (int r = 0; r < rows; r++, source += shape.LdA, target += pitch)
            new ReadOnlySpan<float>(source, k).CopyTo(new Span<float>(target, k));
    }

    // ---- Many rows: B is packed once, by all threads, and every block of rows sweeps over it.

    private static void RunWide<TEpilogue>(
        HostTeam team, in GemmShape shape, float* a, float* b, float* c, float* bias, TEpilogue epilogue)
        where TEpilogue : struct, IHostEpilogue
    {
        const int EnoughItems = 24;
        int block = BlockOfK(shape.K);
        int rowBlocks = CeilDivide(shape.M, BlockRows);
        int rowsPerItem = RoundUp(CeilDivide(shape.M, rowBlocks), HostTile<TVector, TSimd>.Rows);
        rowBlocks = CeilDivide(shape.M, rowsPerItem);
        int panels = CeilDivide(Math.Min(SweepColumns, shape.N), Columns);
        long sizeB = HostTile<TVector, TSimd>.PanelStride(block) * panels;
        // Few blocks of rows: share the columns out too, and copy A for all items at once.
        bool shareA = CopiesA(shape) && rowBlocks < EnoughItems;
        float* shared = HostScratch.Rent(SharedSlot, sizeB + (shareA ? (long)shape.M * Pitch(block) : 0));
        float* sharedA = shareA ? shared + sizeB : null;

        for (int column0 = 0; column0 < shape.N; column0 += SweepColumns)
        {
            int columns = Math.Min(SweepColumns, shape.N - column0);
            int pieces = Math.Clamp(CeilDivide(EnoughItems, rowBlocks), 1, CeilDivide(columns, 128));
            int columnsPerItem = RoundUp(CeilDivide(columns, pieces), Columns);
            pieces = CeilDivide(columns, columnsPerItem);
            int k0 = 0;
            do
            {
                int k = Math.Min(block, shape.K - k0);
                int packs = CeilDivide(columns, PackJob.ColumnsPerItem) + (shareA ? rowBlocks : 0);
                team.Run(packs, new PackJob(shape, a, b, shared, sharedA, column0, columns, k0, k, rowsPerItem));
                var sweep = new WideJob<TEpilogue>(shape, a, shared, sharedA, c, bias, column0, columns, k0, k, rowsPerItem,
                    columnsPerItem, rowBlocks, epilogue);
                team.Run(rowBlocks * pieces, sweep);
                k0 += block;
            }
            while (k0 < shape.K);
        }
    }

    private readonly struct PackJob(
        GemmShape shape, float* a, float* b, float* shared, float* sharedA, int column0, int columns, int k0, int k,
        int rowsPerItem) : IHostJob
    {
        // Four panels at a time: more target streams than a cache set has ways would evict each other.
        public static int ColumnsPerItem => 4 * Columns;

        public void Run(int item)
        {
            int packsOfB = CeilDivide(columns, ColumnsPerItem);
            if (item >= packsOfB)
            {
                int row = (item - packsOfB) * rowsPerItem, pitch = Pitch(k);
                CopyA(shape, a, row, Math.Min(rowsPerItem, shape.M - row), k0, k, sharedA + (long)row * pitch, pitch);
                return;
            }
            int first = item * ColumnsPerItem;
            HostTile<TVector, TSimd>.PackB(shape, b, column0 + first, Math.Min(ColumnsPerItem, columns - first), k0, k,
                shared + first / Columns * HostTile<TVector, TSimd>.PanelStride(k));
        }
    }

    private readonly struct WideJob<TEpilogue>(
        GemmShape shape, float* a, float* shared, float* sharedA, float* c, float* bias, int column0, int columns, int k0, int k,
        int rowsPerItem, int columnsPerItem, int rowBlocks, TEpilogue epilogue) : IHostJob
        where TEpilogue : struct, IHostEpilogue
    {
        private readonly TEpilogue epilogue = epilogue;

        public void Run(int item)
        {
            int block = item % rowBlocks, row = block * rowsPerItem, column = item / rowBlocks * columnsPerItem;
            int rows = Math.Min(rowsPerItem, shape.M - row), width = Math.Min(columnsPerItem, columns - column);
            float* left = a + (long)row * shape.LdA + k0;
            int pitch = shape.LdA;
            if (CopiesA(shape))
            {
                pitch = Pitch(k);
                left = sharedA + (long)row * pitch;
                if (sharedA == null)
                    CopyA(shape, a, row, rows, k0, k, left = HostScratch.Rent(SlotA, (long)rows * pitch), pitch);
            }
            HostTile<TVector, TSimd>.Multiply(
                left, pitch, rows, shared + column / Columns * HostTile<TVector, TSimd>.PanelStride(k), width, k,
                c + (long)row * shape.LdC + column0 + column, shape.LdC, shape.Alpha, k0 == 0 ? shape.Beta : 1,
                bias == null || k0 > 0 ? null : bias + column0 + column, k0 + k >= shape.K, in epilogue, row, column0 + column);
        }
    }

    // ---- Few rows: each item takes some columns through all of k.

    private static void RunNarrow<TEpilogue>(
        HostTeam team, in GemmShape shape, float* a, float* b, float* c, float* bias, TEpilogue epilogue)
        where TEpilogue : struct, IHostEpilogue
    {
        int pitch = shape.LdA;
        if (CopiesA(shape))
        {
            pitch = Pitch(shape.K);
            float* copy = HostScratch.Rent(SharedSlot, (long)shape.M * pitch);
            team.Run(CeilDivide(shape.K, CopyRowsJob.StepsPerItem), new CopyRowsJob(shape, a, copy, pitch));
            a = copy;
        }
        // Fewer columns at a time where there are few: a handful of items leaves threads waiting for the last.
        int columns = RoundUp(Math.Min(NarrowColumns, CeilDivide(shape.N, NarrowItems)), Columns);
        team.Run(CeilDivide(shape.N, columns), new NarrowJob<TEpilogue>(shape, a, pitch, b, c, bias, columns, epilogue));
    }

    private readonly struct CopyRowsJob(GemmShape shape, float* a, float* copy, int pitch) : IHostJob
    {
        public const int StepsPerItem = 384;

        public void Run(int item)
        {
            int k0 = item * StepsPerItem;
            CopyA(shape, a, 0, shape.M, k0, Math.Min(StepsPerItem, shape.K - k0), copy + k0, pitch);
        }
    }

    private readonly struct NarrowJob<TEpilogue>(
        GemmShape shape, float* a, int pitch, float* b, float* c, float* bias, int columnsPerItem, TEpilogue epilogue)
        : IHostJob
        where TEpilogue : struct, IHostEpilogue
    {
        private readonly TEpilogue epilogue = epilogue;

        public void Run(int item)
        {
            int column = item * columnsPerItem, columns = Math.Min(columnsPerItem, shape.N - column), block = BlockOfK(shape.K);
            float* packed = HostScratch.Rent(SlotB, HostTile<TVector, TSimd>.PanelStride(block) * CeilDivide(columns, Columns));
            int k0 = 0;
            do
            {
                int k = Math.Min(block, shape.K - k0);
                HostTile<TVector, TSimd>.PackB(shape, b, column, columns, k0, k, packed);
                HostTile<TVector, TSimd>.Multiply(a + k0, pitch, shape.M, packed, columns, k, c + column, shape.LdC, shape.Alpha,
                    k0 == 0 ? shape.Beta : 1, bias == null || k0 > 0 ? null : bias + column, k0 + k >= shape.K, in epilogue, 0, column);
                k0 += block;
            }
            while (k0 < shape.K);
        }
    }
}
