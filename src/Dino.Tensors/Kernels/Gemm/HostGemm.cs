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
internal static unsafe class HostGemm<TVector, TSimd>
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

    private const int SharedSlot = 0, SlotA = 1, SlotB = 2;

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
        float* shared = HostScratch.Rent(SharedSlot, HostTile<TVector, TSimd>.PanelStrideB(Math.Max(block, 1))
            * CeilDivide(Math.Min(SweepColumns, shape.N), Columns) + HostPacking.Slack);

        for (int column0 = 0; column0 < shape.N; column0 += SweepColumns)
        {
            int columns = Math.Min(SweepColumns, shape.N - column0);
            // Few blocks of rows: share the columns out too, in pieces that are worth packing A again for.
            int pieces = Math.Clamp(CeilDivide(EnoughItems, rowBlocks), 1, CeilDivide(columns, 128));
            int columnsPerItem = RoundUp(CeilDivide(columns, pieces), Columns);
            pieces = CeilDivide(columns, columnsPerItem);
            int k0 = 0;
            do
            {
                int k = Math.Min(block, shape.K - k0);
                var pack = new PackJob(shape, b, shared, column0, columns, k0, k);
                team.Run(CeilDivide(columns, PackJob.ColumnsPerItem), pack);
                var sweep = new WideJob<TEpilogue>(shape, a, shared, c, column0, columns, k0, k, rowsPerItem, columnsPerItem, rowBlocks,
                    epilogue, batch);
                team.Run(rowBlocks * pieces, sweep);
                k0 += block;
            }
            while (k0 < shape.K);
        }
    }

    private readonly struct PackJob(GemmShape shape, float* b, float* shared, int column0, int columns, int k0, int k) : IHostJob
    {
        // Four panels at a time: more target streams than a cache set has ways would evict each other.
        public static int ColumnsPerItem => 4 * Columns;

        public void Run(int item)
        {
            int first = item * ColumnsPerItem;
            HostTile<TVector, TSimd>.PackB(shape, b, column0 + first, Math.Min(ColumnsPerItem, columns - first), k0, k,
                shared + first / Columns * HostTile<TVector, TSimd>.PanelStrideB(k));
        }
    }

    private readonly struct WideJob<TEpilogue>(
        GemmShape shape, float* a, float* shared, float* c, int column0, int columns, int k0, int k,
        int rowsPerItem, int columnsPerItem, int rowBlocks, TEpilogue epilogue, int batch) : IHostJob
        where TEpilogue : struct, IGemmEpilogue
    {
        private readonly TEpilogue epilogue = epilogue;

        public void Run(int item)
        {
            int row = item % rowBlocks * rowsPerItem, column = item / rowBlocks * columnsPerItem;
            int rows = Math.Min(rowsPerItem, shape.M - row), width = Math.Min(columnsPerItem, columns - column);
            float* packed = HostScratch.Rent(SlotA, HostTile<TVector, TSimd>.PanelStrideA(k) * CeilDivide(rows, HostTile<TVector, TSimd>.Rows));
            HostTile<TVector, TSimd>.PackA(shape, a, row, rows, k0, k, packed);
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

    // ---- Small matrices: an item packs and multiplies a piece of one by itself.

    private static void RunPrivate<TEpilogue>(
        HostTeam team, in GemmShape shape, float* a, float* b, float* c, TEpilogue epilogue, long work)
        where TEpilogue : struct, IGemmEpilogue
    {
        // A batch of few large matrices is cut into rows as well.
        int pieces = shape.Batch >= 16 || work <= SmallWork ? 1 : Math.Min(CeilDivide(16, shape.Batch), CeilDivide(shape.M, 48));
        int rows = RoundUp(CeilDivide(shape.M, pieces), HostTile<TVector, TSimd>.Rows);
        pieces = CeilDivide(shape.M, rows);
        // Tiny matrices go many to an item: claiming one costs as much as multiplying it.
        int together = pieces > 1 ? 1 : (int)Math.Clamp(SmallWork / work, 1, shape.Batch);
        int items = CeilDivide(shape.Batch, together) * pieces;
        team.Run(items, new PrivateJob<TEpilogue>(shape, a, b, c, BlockOfK(shape.K), rows, pieces, together, epilogue));
    }

    private readonly struct PrivateJob<TEpilogue>(
        GemmShape shape, float* a, float* b, float* c, int block, int rowsPerItem, int pieces, int together, TEpilogue epilogue) : IHostJob
        where TEpilogue : struct, IGemmEpilogue
    {
        // Columns that a thread keeps packed at once (128 × 384 floats, 196 KiB).
        private const int MostColumns = 128;

        private readonly TEpilogue epilogue = epilogue;

        public void Run(int item)
        {
            int first = item / pieces * together, end = Math.Min(first + together, shape.Batch);
            int row = item % pieces * rowsPerItem;
            for (int batch = first; batch < end; batch++)
            {
                for (int column = 0; column < shape.N; column += MostColumns)
                    Piece(batch, row, column);
            }
        }

        private void Piece(int batch, int row0, int column)
        {
            int columns = Math.Min(MostColumns, shape.N - column), end = Math.Min(row0 + rowsPerItem, shape.M);
            float* ab = a + batch * shape.StrideA, bb = b + batch * shape.StrideB, cb = c + batch * shape.StrideC;
            float* packedB = HostScratch.Rent(SlotB,
                HostTile<TVector, TSimd>.PanelStrideB(Math.Max(block, 1)) * CeilDivide(columns, Columns) + HostPacking.Slack);
            float* packedA = HostScratch.Rent(SlotA,
                HostTile<TVector, TSimd>.PanelStrideA(block) * CeilDivide(BlockRows, HostTile<TVector, TSimd>.Rows));
            int k0 = 0;
            do
            {
                int k = Math.Min(block, shape.K - k0);
                HostTile<TVector, TSimd>.PackB(shape, bb, column, columns, k0, k, packedB);
                for (int row = row0; row < end; row += BlockRows)
                {
                    int rows = Math.Min(BlockRows, end - row);
                    HostTile<TVector, TSimd>.PackA(shape, ab, row, rows, k0, k, packedA);
                    HostTile<TVector, TSimd>.Multiply(packedA, rows, packedB, columns, k, cb + (long)row * shape.LdC + column, shape.LdC,
                        shape.Alpha, k0 == 0 ? shape.Beta : 1, k0 + k >= shape.K, in epilogue, batch, row, column);
                }
                k0 += block;
            }
            while (k0 < shape.K);
        }
    }
}
