using System.Runtime.Intrinsics;

namespace Dino.Tensors.Kernels;

/// <summary>The matrix product on the host, in the widest vectors that the machine runs at full speed.</summary>
/// <remarks>
/// The order in which a sum is formed, and the split of the work, depend on the shape alone: results are the same, bit for
/// bit, for every number of threads (on one vector width).
/// </remarks>
internal static unsafe class HostGemm
{
    /// <summary>C = alpha · op(A) · op(B) + beta · C for each matrix of the batch; see <see cref="GemmShape"/>.</summary>
    public static void Run(HostTeam team, in GemmShape shape, float* a, float* b, float* c)
        => Run(team, shape, a, b, c, default(NoEpilogue));

    /// <summary>The same, with the epilogue applied to every finished element.</summary>
    public static void Run<TEpilogue>(HostTeam team, in GemmShape shape, float* a, float* b, float* c, TEpilogue epilogue)
        where TEpilogue : struct, IGemmEpilogue
    {
        if (Vector512.IsHardwareAccelerated)
            HostGemm<Vector512<float>, Simd512>.Run(team, shape, a, b, c, epilogue);
        else if (Vector256.IsHardwareAccelerated)
            HostGemm<Vector256<float>, Simd256>.Run(team, shape, a, b, c, epilogue);
        else
            HostGemm<Vector128<float>, Simd128>.Run(team, shape, a, b, c, epilogue);
    }
}

/// <summary>The matrix product in one vector width: blocks for the caches, and how they are shared among threads.</summary>
internal static unsafe partial class HostGemm<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    // A panel of B (16 × 384 floats, 24 KiB) stays in the first-level cache, a block of A (96 × 384, 147 KiB) in the second.
    private const int BlockK = 384;
    private const int BlockRows = 96;

    // With fewer rows B is read too few times to be worth sharing: each thread packs its own columns on the way.
    private const int NarrowRows = 192;
    private const int NarrowColumns = 64;
    private const long NarrowPackedA = 1 << 20;

    // Columns that are packed and swept together: the shared copy of B stays near the cores (384 × 4096 floats, 6 MiB).
    private const int SweepColumns = 4096;

    // Below this many multiply-adds for each matrix, one item does the whole matrix.
    private const long SmallWork = 64 * 1024;

    // The attention has slots 3 to 9.
    private const int SharedSlot = 0, SlotA = 1, SlotB = 2, PartialSlot = 10;

    /// <summary>C = alpha · op(A) · op(B) + beta · C, then the epilogue.</summary>
    public static void Run<TEpilogue>(HostTeam team, in GemmShape shape, float* a, float* b, float* c, TEpilogue epilogue)
        where TEpilogue : struct, IGemmEpilogue
    {
        if (shape.M <= 0 || shape.N <= 0 || shape.Batch <= 0)
            return;
        long work = (long)shape.M * shape.N * Math.Max(shape.K, 1);
        if (work <= SmallWork || (shape.Batch > 1 && work <= 128 * SmallWork))
        {
            RunPrivate(team, shape, a, b, c, epilogue, work);
            return;
        }
        if (shape.Batch == 1 && IsDeep(shape))
        {
            RunDeep(team, shape, a, b, c, epilogue);
            return;
        }
        bool narrow = shape.M <= NarrowRows && (long)shape.M * shape.K <= NarrowPackedA;
        for (int batch = 0; batch < shape.Batch; batch++)
        {
            float* ab = a + batch * shape.StrideA, bb = b + batch * shape.StrideB, cb = c + batch * shape.StrideC;
            if (narrow)
                RunNarrow(team, shape, ab, bb, cb, epilogue, batch);
            else
                RunWide(team, shape, ab, bb, cb, epilogue, batch);
        }
    }

    private static int Columns => HostTile<TVector, TSimd>.Columns;

    private static int CeilDivide(int a, int b) => (a + b - 1) / b;

    private static int RoundUp(int a, int unit) => CeilDivide(a, unit) * unit;

    /// <summary>Blocks of k of nearly equal length, at least one (empty when K = 0).</summary>
    private static int BlockOfK(int k) => k == 0 ? 0 : Math.Min(k, RoundUp(CeilDivide(k, CeilDivide(k, BlockK)), 8));

    // ---- Many rows: B is packed once, by all threads, and every block of rows sweeps over it.

    private static void RunWide<TEpilogue>(HostTeam team, in GemmShape shape, float* a, float* b, float* c, TEpilogue epilogue, int batch)
        where TEpilogue : struct, IGemmEpilogue
    {
        const int EnoughItems = 24;
        int block = BlockOfK(shape.K);
        int rowBlocks = CeilDivide(shape.M, BlockRows);
        int rowsPerItem = RoundUp(CeilDivide(shape.M, rowBlocks), HostTile<TVector, TSimd>.Rows);
        rowBlocks = CeilDivide(shape.M, rowsPerItem);
        long sizeA = HostTile<TVector, TSimd>.PanelStrideA(block) * (rowsPerItem / HostTile<TVector, TSimd>.Rows);
        int panels = CeilDivide(Math.Min(SweepColumns, shape.N), Columns);
        long sizeB = HostTile<TVector, TSimd>.PanelStrideB(block) * panels + HostPacking.Slack;
        // Few blocks of rows: share the columns out too, and pack A for all items at once.
        bool shareA = rowBlocks < EnoughItems;
        float* shared = HostScratch.Rent(SharedSlot, sizeB + 16 + (shareA ? sizeA * rowBlocks : 0));
        float* sharedA = shareA ? shared + ((sizeB + 15) & ~15L) : null;

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
                team.Run(packs, new PackJob(shape, a, b, shared, sharedA, column0, columns, k0, k, rowsPerItem, sizeA));
                var sweep = new WideJob<TEpilogue>(shape, a, shared, sharedA, c, column0, columns, k0, k, rowsPerItem, columnsPerItem,
                    rowBlocks, sizeA, epilogue, batch);
                team.Run(rowBlocks * pieces, sweep);
                k0 += block;
            }
            while (k0 < shape.K);
        }
    }

    private readonly struct PackJob(
        GemmShape shape, float* a, float* b, float* shared, float* sharedA, int column0, int columns, int k0, int k,
        int rowsPerItem, long sizeA) : IHostJob
    {
        // Four panels at a time: more target streams than a cache set has ways would evict each other.
        public static int ColumnsPerItem => 4 * Columns;

        public void Run(int item)
        {
            int packsOfB = CeilDivide(columns, ColumnsPerItem);
            if (item >= packsOfB)
            {
                int block = item - packsOfB, row = block * rowsPerItem;
                HostTile<TVector, TSimd>.PackA(shape, a, row, Math.Min(rowsPerItem, shape.M - row), k0, k, sharedA + block * sizeA);
                return;
            }
            int first = item * ColumnsPerItem;
            HostTile<TVector, TSimd>.PackB(shape, b, column0 + first, Math.Min(ColumnsPerItem, columns - first), k0, k,
                shared + first / Columns * HostTile<TVector, TSimd>.PanelStrideB(k));
        }
    }

    private readonly struct WideJob<TEpilogue>(
        GemmShape shape, float* a, float* shared, float* sharedA, float* c, int column0, int columns, int k0, int k,
        int rowsPerItem, int columnsPerItem, int rowBlocks, long sizeA, TEpilogue epilogue, int batch) : IHostJob
        where TEpilogue : struct, IGemmEpilogue
    {
        private readonly TEpilogue epilogue = epilogue;

        public void Run(int item)
        {
            int block = item % rowBlocks, row = block * rowsPerItem, column = item / rowBlocks * columnsPerItem;
            int rows = Math.Min(rowsPerItem, shape.M - row), width = Math.Min(columnsPerItem, columns - column);
            float* packed = sharedA + block * sizeA;
            if (sharedA == null)
            {
                packed = HostScratch.Rent(SlotA, sizeA);
                HostTile<TVector, TSimd>.PackA(shape, a, row, rows, k0, k, packed);
            }
            HostTile<TVector, TSimd>.Multiply(packed, rows, shared + column / Columns * HostTile<TVector, TSimd>.PanelStrideB(k), width, k,
                c + (long)row * shape.LdC + column0 + column, shape.LdC, shape.Alpha, k0 == 0 ? shape.Beta : 1,
                k0 + k >= shape.K, in epilogue, batch, row, column0 + column);
        }
    }

    // ---- Few rows: A is packed once, whole; each item takes some columns through all of k.

    private static void RunNarrow<TEpilogue>(HostTeam team, in GemmShape shape, float* a, float* b, float* c, TEpilogue epilogue, int batch)
        where TEpilogue : struct, IGemmEpilogue
    {
        int block = BlockOfK(shape.K), blocks = shape.K == 0 ? 1 : CeilDivide(shape.K, block);
        int panels = CeilDivide(shape.M, HostTile<TVector, TSimd>.Rows);
        long blockStride = HostTile<TVector, TSimd>.PanelStrideA(block) * panels;
        float* shared = HostScratch.Rent(SharedSlot, blockStride * blocks);
        team.Run(blocks, new PackRowsJob(shape, a, shared, block, blockStride));
        int columns = RoundUp(NarrowColumns, Columns);
        team.Run(CeilDivide(shape.N, columns), new NarrowJob<TEpilogue>(shape, shared, b, c, block, blockStride, columns, epilogue, batch));
    }

    private readonly struct PackRowsJob(GemmShape shape, float* a, float* shared, int block, long blockStride) : IHostJob
    {
        public void Run(int item)
        {
            int k0 = item * block;
            HostTile<TVector, TSimd>.PackA(shape, a, 0, shape.M, k0, Math.Min(block, shape.K - k0), shared + item * blockStride);
        }
    }

    private readonly struct NarrowJob<TEpilogue>(
        GemmShape shape, float* shared, float* b, float* c, int block, long blockStride, int columnsPerItem, TEpilogue epilogue, int batch)
        : IHostJob
        where TEpilogue : struct, IGemmEpilogue
    {
        private readonly TEpilogue epilogue = epilogue;

        public void Run(int item)
        {
            int column = item * columnsPerItem, columns = Math.Min(columnsPerItem, shape.N - column);
            float* packed = HostScratch.Rent(SlotB,
                HostTile<TVector, TSimd>.PanelStrideB(block) * CeilDivide(columns, Columns) + HostPacking.Slack);
            float* panelsA = shared;
            int k0 = 0;
            do
            {
                int k = Math.Min(block, shape.K - k0);
                HostTile<TVector, TSimd>.PackB(shape, b, column, columns, k0, k, packed);
                HostTile<TVector, TSimd>.Multiply(panelsA, shape.M, packed, columns, k, c + column, shape.LdC, shape.Alpha,
                    k0 == 0 ? shape.Beta : 1, k0 + k >= shape.K, in epilogue, batch, 0, column);
                k0 += block;
                panelsA += blockStride;
            }
            while (k0 < shape.K);
        }
    }
}
