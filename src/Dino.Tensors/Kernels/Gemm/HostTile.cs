using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels.Host;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// Products of a block of rows of A with a panel of columns of B, a tile of 6 rows by two vectors at a time: twelve sums keep both
/// multiply-add units of a core busy and leave room for B and the broadcast number of A among 16 registers. Of 32 registers the sums of 12
/// rows
/// take 24: B is read half as often.
/// </summary>
/// <remarks>
/// A is read where it lies, rows <c>lda</c> apart and contiguous along k: a tile reads six of its cache lines for every sixteen steps.
/// A panel of B is [k][<see cref="Columns"/>], its lines <c>ldb</c> apart.
/// </remarks>
internal static unsafe class HostTile<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    /// <summary>Rows of the largest tile.</summary>
    public static int Rows => TSimd.Registers == 32 ? 12 : 6;

    /// <summary>Columns of a tile: the width of B's panels.</summary>
    public static int Columns => 2 * TSimd.Width;

    /// <summary>The distance between packed panels of B.</summary>
    public static long PanelStride(int k) => Columns * (long)k;

    /// <summary>Packs op(B)[k0 … k0 + k, column … column + columns].</summary>
    public static void PackB(in GemmShape shape, float* b, int column, int columns, int k0, int k, float* panels)
    {
        long stride = PanelStride(k);
        if (!shape.TransposeB)
        {
            HostPacking.Across(b + (long)k0 * shape.LdB + column, shape.LdB, columns, k, Columns, panels, stride);
            return;
        }
        float* source = b + (long)column * shape.LdB + k0;
        for (int c = 0; c < columns; c += Columns, panels += stride)
            HostPacking.Along(source + (long)c * shape.LdB, shape.LdB, Math.Min(Columns, columns - c), k, Columns, panels);
    }

    /// <summary>
    /// C (rows × columns) = alpha · A · B + beta · C with packed panels of B; a panel stays in the first-level cache while the rows of A
    /// pass by. Sums start from <paramref name="bias"/> (columns) unless it is null. With <paramref name="last"/>, a finished tile
    /// goes through the epilogue at its place in the whole matrix.
    /// </summary>
    public static void Multiply<TEpilogue>(
        float* a, long lda, int rows, float* b, int columns, int k, float* c, long ldc, float alpha, float beta, float* bias,
        bool last, in TEpilogue epilogue, int row0, int column0)
        where TEpilogue : struct, IHostEpilogue
    {
        for (int j = 0; j < columns; j += Columns, b += PanelStride(k))
        {
            Sweep(a, lda, rows, b, Math.Min(Columns, columns - j), k, c + j, ldc, alpha, beta, bias == null ? null : bias + j,
                last, in epilogue, row0, column0 + j, firstOfRows: j == 0);
        }
    }

    /// <summary>
    /// The same for one panel of B, of which <paramref name="width"/> columns count; with <paramref name="firstOfRows"/> A is asked for
    /// ahead.
    /// </summary>
    private static void Sweep<TEpilogue>(
        float* a, long lda, int rows, float* b, int width, int k, float* c, long ldc, float alpha, float beta, float* bias,
        bool last, in TEpilogue epilogue, int row0, int column0, bool firstOfRows)
        where TEpilogue : struct, IHostEpilogue
    {
        float* start = stackalloc float[32];
        if (bias == null)
            start = null;
        else
            new ReadOnlySpan<float>(bias, width).CopyTo(new Span<float>(start, width));
        int height;
        for (int row = 0; row < rows; row += height, a += height * lda, c += height * ldc)
        {
            height = Height(rows - row);
            if (firstOfRows)
                HostPrefetch.Rows(a + height * lda, lda, Math.Min(Rows, rows - row - height), k);
            HostPrefetch.Rows(c, ldc, height, width);
            if (TEpilogue.Active && last)
                epilogue.Prefetch(row0 + row, column0, height, width);
            Piece<Packed>(a, lda, height, b, Columns, width, k, c, ldc, alpha, beta, start);
            if (TEpilogue.Active && last)
                epilogue.Apply(c, ldc, row0 + row, column0, height, width);
        }
    }

    /// <summary>
    /// C (rows × columns) = alpha · A · B for small operands that lie in the nearest caches: A as it is, contiguous along k, B in packed
    /// panels.
    /// </summary>
    public static void Multiply(float* a, long lda, int rows, float* b, int columns, int k, float* c, long ldc, float alpha)
    {
        for (int j = 0; j < columns; j += Columns, b += PanelStride(k))
            Small<Packed>(a, lda, rows, b, Columns, Math.Min(Columns, columns - j), k, c + j, ldc, alpha, 0);
    }

    /// <summary>
    /// C = A · B + beta · C with both operands as they are, B contiguous along its columns, and A along k or
    /// (<paramref name="transposedA"/>) along its
    /// rows. B is read up to whole panels.
    /// </summary>
    public static void MultiplyInPlace(
        bool transposedA, float* a, long lda, int rows, float* b, long ldb, int columns, int k, float* c, long ldc, float beta)
    {
        for (int j = 0; j < columns; j += Columns)
        {
            if (transposedA)
                Small<TransposedAndStrided>(a, lda, rows, b + j, ldb, Math.Min(Columns, columns - j), k, c + j, ldc, 1, beta);
            else
                Small<Strided>(a, lda, rows, b + j, ldb, Math.Min(Columns, columns - j), k, c + j, ldc, 1, beta);
        }
    }

    private static void Small<TLayout>(
        float* a, long lda, int rows, float* b, long ldb, int width, int k, float* c, long ldc, float alpha, float beta)
        where TLayout : struct, ILayout
    {
        int height;
        for (int row = 0; row < rows; row += height, a += height * (TLayout.TransposedA ? 1 : lda), c += height * ldc)
        {
            height = Height(rows - row);
            Piece<TLayout>(a, lda, height, b, ldb, width, k, c, ldc, alpha, beta, null);
        }
    }

    // 7 as 4 + 3, not as 6 + 1.
    private static int Height(int left) => left >= Rows ? Rows : Math.Min(left, left is 7 or 8 or <= 4 ? 4 : 6);

    /// <summary>A whole or partial tile of C.</summary>
    private static void Piece<TLayout>(
        float* a, long lda, int height, float* b, long ldb, int width, int k, float* c, long ldc, float alpha, float beta, float* bias)
        where TLayout : struct, ILayout
    {
        if (width == Columns && height == 12)
            Tile<TLayout, TileOfTwelve>(a, lda, 12, b, ldb, k, c, ldc, alpha, beta, bias);
        else if (width == Columns && height == 6)
            Tile<TLayout, TileOfSix>(a, lda, 6, b, ldb, k, c, ldc, alpha, beta, bias);
        else if (width == Columns && height == 4)
            Tile<TLayout, TileOfFour>(a, lda, 4, b, ldb, k, c, ldc, alpha, beta, bias);
        else if (width == TSimd.Width && height == 12)
            Tile<TLayout, TallHalfTile>(a, lda, 12, b, ldb, k, c, ldc, alpha, beta, bias);
        else if (width == TSimd.Width && height == 6)
            Tile<TLayout, HalfTile>(a, lda, 6, b, ldb, k, c, ldc, alpha, beta, bias);
        else
            Edge<TLayout>(a, lda, height, b, ldb, width, k, c, ldc, alpha, beta, bias);
    }

    [SkipLocalsInit]
    private static void Edge<TLayout>(
        float* a, long lda, int height, float* b, long ldb, int width, int k, float* c, long ldc, float alpha, float beta, float* bias)
        where TLayout : struct, ILayout
    {
        float* edge = stackalloc float[12 * 32];
        if (width <= TSimd.Width && height > 6)
            Tile<TLayout, TallHalfTile>(a, lda, height, b, ldb, k, edge, Columns, alpha, 0, bias);
        else if (width <= TSimd.Width)
            Tile<TLayout, HalfTile>(a, lda, height, b, ldb, k, edge, Columns, alpha, 0, bias);
        else if (height <= 4)
            Tile<TLayout, TileOfFour>(a, lda, height, b, ldb, k, edge, Columns, alpha, 0, bias);
        else if (height > 6)
            Tile<TLayout, TileOfTwelve>(a, lda, height, b, ldb, k, edge, Columns, alpha, 0, bias);
        else
            Tile<TLayout, TileOfSix>(a, lda, height, b, ldb, k, edge, Columns, alpha, 0, bias);
        TVector keep = TSimd.Create(beta);
        for (int r = 0; r < height; r++, c += ldc, edge += Columns)
        {
            int j = 0;
            for (; j + TSimd.Width <= width; j += TSimd.Width)
            {
                TVector sum = TSimd.Load(edge + j);
                TSimd.Store(beta == 0 ? sum : TSimd.MultiplyAdd(keep, TSimd.Load(c + j), sum), c + j);
            }
            for (; j < width; j++)
                c[j] = beta == 0 ? edge[j] : edge[j] + beta * c[j];
        }
    }

    /// <summary>
    /// All rows of a tile are computed and stored; of up to six that are fewer than the tile's the last is computed again in place of those
    /// missing.
    /// </summary>
    private static void Tile<TLayout, TTile>(
        float* a, long lda, int height, float* b, long ldb, int k, float* c, long ldc, float alpha, float beta, float* bias)
        where TLayout : struct, ILayout
        where TTile : struct, ITile
    {
        nint row = TLayout.TransposedA ? 1 : (nint)lda, stepA = TLayout.TransposedA ? (nint)lda : 1;
        nint stepB = TLayout.PackedB ? Columns : (nint)ldb; // a known distance saves the arithmetic of addresses
        int end = height - 1;
        float* a0 = a, a1 = a + Math.Min(1, end) * row, a2 = a + Math.Min(2, end) * row, a3 = a + Math.Min(3, end) * row;
        float* a4 = a + Math.Min(4, end) * row, a5 = a + Math.Min(5, end) * row;
        TVector c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        TVector c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        TVector c60 = default, c61 = default, c70 = default, c71 = default, c80 = default, c81 = default;
        TVector c90 = default, c91 = default, ca0 = default, ca1 = default, cb0 = default, cb1 = default;
        if (bias != null)
        {
            c00 = c10 = c20 = c30 = c40 = c50 = c60 = c70 = c80 = c90 = ca0 = cb0 = TSimd.Load(bias);
            c01 = c11 = c21 = c31 = c41 = c51 = c61 = c71 = c81 = c91 = ca1 = cb1 = TSimd.Load(bias + TSimd.Width);
        }
        nint p = 0, q = 6 * row;
        // Four steps a turn: with two, and another program on the same core, the ends of the turns cost 7 %.
        for (int turns = k >> 2; turns > 0; turns--, p += 4 * stepA, q += 4 * stepA, b += 4 * stepB)
        {
            Step<TTile>(a0, a1, a2, a3, a4, a5, new(p, q), b,
                ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref ca0, ref ca1, ref cb0, ref cb1);
            Step<TTile>(a0, a1, a2, a3, a4, a5, new(p + stepA, q + stepA), b + stepB,
                ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref ca0, ref ca1, ref cb0, ref cb1);
            Step<TTile>(a0, a1, a2, a3, a4, a5, new(p + 2 * stepA, q + 2 * stepA), b + 2 * stepB,
                ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref ca0, ref ca1, ref cb0, ref cb1);
            Step<TTile>(a0, a1, a2, a3, a4, a5, new(p + 3 * stepA, q + 3 * stepA), b + 3 * stepB,
                ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref ca0, ref ca1, ref cb0, ref cb1);
        }
        for (int rest = k & 3; rest > 0; rest--, p += stepA, q += stepA, b += stepB)
        {
            Step<TTile>(a0, a1, a2, a3, a4, a5, new(p, q), b,
                ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref ca0, ref ca1, ref cb0, ref cb1);
        }
        Store<TTile>(c, c00, c01, alpha, beta);
        Store<TTile>(c + ldc, c10, c11, alpha, beta);
        Store<TTile>(c + 2 * ldc, c20, c21, alpha, beta);
        Store<TTile>(c + 3 * ldc, c30, c31, alpha, beta);
        if (TTile.Rows == 4)
            return;
        Store<TTile>(c + 4 * ldc, c40, c41, alpha, beta);
        Store<TTile>(c + 5 * ldc, c50, c51, alpha, beta);
        if (TTile.Rows == 6)
            return;
        Store<TTile>(c + 6 * ldc, c60, c61, alpha, beta);
        Store<TTile>(c + 7 * ldc, c70, c71, alpha, beta);
        Store<TTile>(c + 8 * ldc, c80, c81, alpha, beta);
        Store<TTile>(c + 9 * ldc, c90, c91, alpha, beta);
        Store<TTile>(c + 10 * ldc, ca0, ca1, alpha, beta);
        Store<TTile>(c + 11 * ldc, cb0, cb1, alpha, beta);
    }

    /// <summary>Where a column of a tile of A lies, from the pointers to rows 0 to 5: theirs, and that of rows 6 to 11.</summary>
    /// <remarks>Twelve pointers would not fit the general registers. Two numbers would be one argument more than the JIT inlines.</remarks>
    private readonly struct Place(nint upper, nint lower)
    {
        public readonly nint Upper = upper, Lower = lower;
    }

    /// <summary>One line of B times one number of each row of A, added to the sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TTile>(
        float* a0, float* a1, float* a2, float* a3, float* a4, float* a5, Place at, float* b,
        ref TVector c00, ref TVector c01, ref TVector c10, ref TVector c11, ref TVector c20, ref TVector c21,
        ref TVector c30, ref TVector c31, ref TVector c40, ref TVector c41, ref TVector c50, ref TVector c51,
        ref TVector c60, ref TVector c61, ref TVector c70, ref TVector c71, ref TVector c80, ref TVector c81,
        ref TVector c90, ref TVector c91, ref TVector ca0, ref TVector ca1, ref TVector cb0, ref TVector cb1)
        where TTile : struct, ITile
    {
        TVector b0 = TSimd.Load(b), b1 = TTile.Vectors > 1 ? TSimd.Load(b + TSimd.Width) : default;
        Row<TTile>(a0[at.Upper], b0, b1, ref c00, ref c01);
        Row<TTile>(a1[at.Upper], b0, b1, ref c10, ref c11);
        Row<TTile>(a2[at.Upper], b0, b1, ref c20, ref c21);
        Row<TTile>(a3[at.Upper], b0, b1, ref c30, ref c31);
        if (TTile.Rows == 4)
            return;
        Row<TTile>(a4[at.Upper], b0, b1, ref c40, ref c41);
        Row<TTile>(a5[at.Upper], b0, b1, ref c50, ref c51);
        if (TTile.Rows == 6)
            return;
        Row<TTile>(a0[at.Lower], b0, b1, ref c60, ref c61);
        Row<TTile>(a1[at.Lower], b0, b1, ref c70, ref c71);
        Row<TTile>(a2[at.Lower], b0, b1, ref c80, ref c81);
        Row<TTile>(a3[at.Lower], b0, b1, ref c90, ref c91);
        Row<TTile>(a4[at.Lower], b0, b1, ref ca0, ref ca1);
        Row<TTile>(a5[at.Lower], b0, b1, ref cb0, ref cb1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<TTile>(float a, TVector b0, TVector b1, ref TVector c0, ref TVector c1) where TTile : struct, ITile
    {
        TVector x = TSimd.Create(a);
        c0 = TSimd.MultiplyAdd(x, b0, c0);
        if (TTile.Vectors > 1)
            c1 = TSimd.MultiplyAdd(x, b1, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TTile>(float* c, TVector v0, TVector v1, float alpha, float beta) where TTile : struct, ITile
    {
        int w = TSimd.Width;
        TVector scale = TSimd.Create(alpha), keep = TSimd.Create(beta);
        v0 = TSimd.Multiply(v0, scale);
        TSimd.Store(beta == 0 ? v0 : TSimd.MultiplyAdd(keep, TSimd.Load(c), v0), c);
        if (TTile.Vectors == 1)
            return;
        v1 = TSimd.Multiply(v1, scale);
        TSimd.Store(beta == 0 ? v1 : TSimd.MultiplyAdd(keep, TSimd.Load(c + w), v1), c + w);
    }

    // Sizes and layouts as types, so that one source is compiled for each without the parts that it lacks.
    private interface ITile
    {
        static abstract int Rows { get; }

        static abstract int Vectors { get; }
    }

    private readonly struct TileOfTwelve : ITile
    {
        public static int Rows => 12;

        public static int Vectors => 2;
    }

    private readonly struct TileOfSix : ITile
    {
        public static int Rows => 6;

        public static int Vectors => 2;
    }

    private readonly struct TileOfFour : ITile
    {
        public static int Rows => 4;

        public static int Vectors => 2;
    }

    private readonly struct TallHalfTile : ITile
    {
        public static int Rows => 12;

        public static int Vectors => 1;
    }

    private readonly struct HalfTile : ITile
    {
        public static int Rows => 6;

        public static int Vectors => 1;
    }

    private interface ILayout
    {
        /// <summary>Whether A is [k][row], contiguous across its rows.</summary>
        static abstract bool TransposedA { get; }

        /// <summary>Whether B's lines follow each other.</summary>
        static abstract bool PackedB { get; }
    }

    private readonly struct Packed : ILayout
    {
        public static bool TransposedA => false;

        public static bool PackedB => true;
    }

    private readonly struct Strided : ILayout
    {
        public static bool TransposedA => false;

        public static bool PackedB => false;
    }

    private readonly struct TransposedAndStrided : ILayout
    {
        public static bool TransposedA => true;

        public static bool PackedB => false;
    }
}
