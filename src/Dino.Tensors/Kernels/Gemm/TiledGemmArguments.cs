using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// A <see cref="GemmShape"/> as a kernel argument, with the grid that covers C with tiles: a group for each tile, each matrix of a batch
/// and each
/// part of k.
/// </summary>
internal readonly struct TiledGemmArguments
{
    public readonly int M, N, K, LdA, LdB, LdC, StrideA, StrideB, StrideC, Edge, TileRows, TileColumns, Parts, StepsPerPart;
    public readonly int TransposeA, TransposeB, HasBias;
    public readonly EpilogueKind Kind;
    public readonly int RowsPerSample;
    public readonly float Alpha, Beta;

    /// <summary>The product in one part, or in parts of k whose sums are added later.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="epilogue">What becomes of C.</param>
    /// <param name="edge">Rows and columns of a tile.</param>
    /// <param name="parts">Parts of k; from two on, part p of matrix b of a batch becomes the dense matrix b · parts + p of C.</param>
    /// <param name="stepsPerPart">Steps of k in a part.</param>
    public TiledGemmArguments(in GemmShape shape, in Epilogue epilogue, int edge, int parts, int stepsPerPart)
    {
        (M, N, K) = shape;
        (LdA, LdB, LdC) = (shape.LdA, shape.LdB, parts > 1 ? N : shape.LdC);
        (StrideA, StrideB) = (checked((int)shape.StrideA), checked((int)shape.StrideB));
        StrideC = parts > 1 ? checked(M * N) : checked((int)shape.StrideC);
        (Edge, Parts, StepsPerPart) = (edge, parts, stepsPerPart);
        (TransposeA, TransposeB) = (shape.TransposeA ? 1 : 0, shape.TransposeB ? 1 : 0);
        TileRows = (M + edge - 1) / edge;
        TileColumns = (N + edge - 1) / edge;
        (Alpha, Beta) = (1, 0);
        if (parts > 1)
            return; // the sums are finished when all parts are added
        (Alpha, Beta) = (shape.Alpha, shape.Beta);
        (Kind, RowsPerSample) = (epilogue.Kind, epilogue.RowsPerSample);
        HasBias = epilogue.Bias is null ? 0 : 1;
    }

    /// <summary>The product in one part, with a bias or without.</summary>
    public TiledGemmArguments(in GemmShape shape, bool bias, int edge) : this(shape, default(Epilogue), edge, 1, Math.Max(shape.K, 1)) =>
        HasBias = bias ? 1 : 0;

    /// <summary>Groups of a launch.</summary>
    public int GridSize(int batch) => checked(TileRows * TileColumns * Parts * batch);

    /// <summary>
    /// The tile of a group: down the columns first where those are shorter, so that neighbouring groups share what they read.
    /// </summary>
    public TileOfC TileOf(int group)
    {
        int tiles = TileRows * TileColumns, tile = group % tiles, matrix = group / tiles, part = matrix % Parts, batch = matrix / Parts;
        bool down = TileRows < TileColumns;
        int row = down ? tile % TileRows : tile / TileColumns, column = down ? tile / TileRows : tile % TileColumns;
        int end = (part + 1) * StepsPerPart;
        return new(batch, row * Edge, column * Edge, part * StepsPerPart, end < K ? end : K, matrix * StrideC);
    }

    /// <summary>Where the rows of A are.</summary>
    public OperandPlace PlaceA(TileOfC tile) => new(tile.Batch * StrideA, LdA, M, tile.EndStep);

    /// <summary>Where the columns of B are.</summary>
    public OperandPlace PlaceB(TileOfC tile) => new(tile.Batch * StrideB, LdB, N, tile.EndStep);

    /// <summary>C's element of a sum: scaled, added to what is there, and finished.</summary>
    public float Finish<TFinish>(ArrayView<float> c, EpilogueViews follow, int row, int column, int at, float sum, out float kept)
        where TFinish : struct, IFinish
    {
        float value = Alpha * sum;
        if (Beta != 0)
            value += Beta * c.Read(at);
        if (HasBias != 0)
            value += follow.Bias.Read(column);
        float result = TFinish.Finish(this, follow, row, column, at, Lane.Of(value), out Lane keep).Value;
        kept = keep.Value;
        return result;
    }

    /// <summary>Writes a sum where it is inside C.</summary>
    public void Store<TFinish>(ArrayView<float> c, EpilogueViews follow, TileOfC tile, int row, int column, float sum)
        where TFinish : struct, IFinish
    {
        if (row < M && column < N)
            Store<TFinish>(c, follow, row, column, tile.Target + row * LdC + column, sum);
    }

    /// <summary>Writes the sum of a row and column to where C's element is.</summary>
    public void Store<TFinish>(ArrayView<float> c, EpilogueViews follow, int row, int column, int at, float sum)
        where TFinish : struct, IFinish
    {
        c.Write(at, Finish<TFinish>(c, follow, row, column, at, sum, out float kept));
        if (follow.Kept.Length > 0)
            follow.Kept.Write(at, kept);
    }

    /// <summary>Writes two neighbouring sums of a row where they are inside C.</summary>
    public void StorePair<TFinish>(ArrayView<float> c, EpilogueViews follow, TileOfC tile, int row, int column, Float2 sums)
        where TFinish : struct, IFinish
    {
        if (row >= M || column >= N)
            return;
        int at = tile.Target + row * LdC + column;
        float x = Finish<TFinish>(c, follow, row, column, at, sums.X, out float keptX);
        float y = Finish<TFinish>(c, follow, row, column + 1, at + 1, sums.Y, out float keptY);
        c.WritePair(at, new Float2 { X = x, Y = y });
        if (follow.Kept.Length > 0)
            follow.Kept.WritePair(at, new Float2 { X = keptX, Y = keptY });
    }
}

/// <summary>A group's share of a product.</summary>
internal readonly struct TileOfC(int batch, int row, int column, int step, int endStep, int target)
{
    /// <summary>The matrix of the batch, and the tile's first row and column.</summary>
    public readonly int Batch = batch, Row = row, Column = column;

    /// <summary>Where k begins and ends.</summary>
    public readonly int Step = step, EndStep = endStep;

    /// <summary>The first element of the tile's matrix C.</summary>
    public readonly int Target = target;
}
