using Dino.Tensors.Kernels.Host;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>Products that are not shared out in blocks of C: small ones, whole matrices of a batch, slices of k.</summary>
internal static unsafe partial class HostGemm<TVector, TSimd>
{
    private static void RunPrivate<TEpilogue>(
        HostTeam team, in GemmShape shape, float* a, float* b, float* c, float* bias, TEpilogue epilogue, long work)
        where TEpilogue : struct, IHostEpilogue
    {
        // A batch of few large matrices is cut into rows as well.
        int pieces = shape.Batch >= 16 || work <= SmallWork ? 1 : Math.Min(CeilDivide(16, shape.Batch), CeilDivide(shape.M, 48));
        int rows = RoundUp(CeilDivide(shape.M, pieces), HostTile<TVector, TSimd>.Rows);
        pieces = CeilDivide(shape.M, rows);
        // Tiny matrices go many to an item: claiming one costs as much as multiplying it.
        int together = pieces > 1 ? 1 : (int)Math.Clamp(SmallWork / work, 1, shape.Batch);
        int items = CeilDivide(shape.Batch, together) * pieces;
        team.Run(items, new PrivateJob<TEpilogue>(shape, a, b, c, bias, shape.K, rows, pieces, together, true, epilogue));
    }

    private readonly struct PrivateJob<TEpilogue>(
        GemmShape shape, float* a, float* b, float* c, float* bias, int lastK, int rowsPerItem, int pieces, int together, bool finish,
        TEpilogue epilogue) : IHostJob
        where TEpilogue : struct, IHostEpilogue
    {
        // Columns that a thread keeps packed at once (128 × 768 floats, 393 KiB).
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
            // Slices of a deep product are a batch, too, whose last one may be shorter.
            int depth = batch == shape.Batch - 1 ? lastK : shape.K, block = BlockOfK(depth);
            int columns = Math.Min(MostColumns, shape.N - column), end = Math.Min(row0 + rowsPerItem, shape.M);
            float* ab = a + batch * shape.StrideA, bb = b + batch * shape.StrideB, cb = c + batch * shape.StrideC;
            float* packed = HostScratch.Rent(SlotB, HostTile<TVector, TSimd>.PanelStride(block) * CeilDivide(columns, Columns));
            float* copy = CopiesA(shape) ? HostScratch.Rent(SlotA, (long)BlockRows * Pitch(block)) : null;
            int k0 = 0;
            do
            {
                int k = Math.Min(block, depth - k0);
                HostTile<TVector, TSimd>.PackB(shape, bb, column, columns, k0, k, packed);
                for (int row = row0; row < end; row += BlockRows)
                {
                    int rows = Math.Min(BlockRows, end - row), pitch = copy == null ? shape.LdA : Pitch(k);
                    if (copy != null)
                        CopyA(shape, ab, row, rows, k0, k, copy, pitch);
                    HostTile<TVector, TSimd>.Multiply(
                        copy == null ? ab + (long)row * shape.LdA + k0 : copy, pitch, rows, packed, columns, k,
                        cb + (long)row * shape.LdC + column, shape.LdC, shape.Alpha, k0 == 0 ? shape.Beta : 1,
                        bias == null || k0 > 0 ? null : bias + column, finish && k0 + k >= depth, in epilogue, row, column);
                }
                k0 += block;
            }
            while (k0 < depth);
        }
    }

    // ---- A small result from long sums (the gradient of a layer's input from its 65,536 outputs).

    // A slice of k is long enough to be worth a partial result of its own, and there are at most so many of them.
    private const int SliceOfK = 2048, MostSlices = 16;
    private const long DeepResult = 64 * 1024;

    private static bool IsDeep(in GemmShape shape)
        => shape.K >= 4 * SliceOfK && (long)shape.M * shape.N <= DeepResult && Math.Max(shape.M, shape.N) <= shape.K / 16;

    /// <summary>The sums are cut into slices of fixed length, whose results are added up in order.</summary>
    private static void RunDeep<TEpilogue>(
        HostTeam team, in GemmShape shape, float* a, float* b, float* c, float* bias, TEpilogue epilogue)
        where TEpilogue : struct, IHostEpilogue
    {
        int slice = RoundUp(CeilDivide(shape.K, Math.Min(CeilDivide(shape.K, SliceOfK), MostSlices)), 8);
        int slices = CeilDivide(shape.K, slice);
        long size = (long)shape.M * shape.N;
        float* partial = HostScratch.Rent(PartialSlot, size * slices);
        GemmShape part = shape with
        {
            K = slice,
            Batch = slices,
            StrideA = shape.TransposeA ? (long)slice * shape.LdA : slice,
            StrideB = shape.TransposeB ? slice : (long)slice * shape.LdB,
            LdC = shape.N,
            StrideC = size,
            Beta = 0,
        };
        int rows = RoundUp(shape.M, HostTile<TVector, TSimd>.Rows);
        team.Run(slices, new PrivateJob<NoEpilogue>(part, a, b, partial, null, shape.K - (slices - 1) * slice, rows, 1, 1, false, default));
        team.Run(shape.M, new SumJob<TEpilogue>(shape, partial, slices, c, bias, epilogue));
    }

    private readonly struct SumJob<TEpilogue>(GemmShape shape, float* partial, int slices, float* c, float* bias, TEpilogue epilogue)
        : IHostJob
        where TEpilogue : struct, IHostEpilogue
    {
        public void Run(int row)
        {
            float* target = c + (long)row * shape.LdC, source = partial + (long)row * shape.N;
            long size = (long)shape.M * shape.N;
            for (int j = 0; j < shape.N; j++)
            {
                float sum = bias == null ? source[j] : source[j] + bias[j];
                target[j] = shape.Beta == 0 ? sum : sum + shape.Beta * target[j];
            }
            for (int s = 1; s < slices; s++)
            {
                source += size;
                int j = 0;
                for (; j + TSimd.Width <= shape.N; j += TSimd.Width)
                    TSimd.Store(TSimd.Add(TSimd.Load(target + j), TSimd.Load(source + j)), target + j);
                for (; j < shape.N; j++)
                    target[j] += source[j];
            }
            if (!TEpilogue.Active)
                return;
            for (int j = 0; j < shape.N; j += Columns)
                epilogue.Apply(target + j, shape.LdC, row, j, 1, Math.Min(Columns, shape.N - j));
        }
    }
}
