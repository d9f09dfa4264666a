using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>
/// Products of a block of rows of A with a panel of columns of B, a tile of 6 rows by two vectors at a time: twelve sums keep both
/// multiply-add units of a core busy and leave room for B and the broadcast number of A among 16 registers.
/// </summary>
/// <remarks>
/// A is read where it lies, rows <c>lda</c> apart and contiguous along k: a tile reads six of its cache lines for every sixteen steps.
/// A panel of B is [k][<see cref="Columns"/>], its lines <c>ldb</c> apart.
/// </remarks>
internal static unsafe class HostTile<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    /// <summary>Rows of a tile.</summary>
    public const int Rows = 6;

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
    /// pass by. Sums start from <paramref name="bias"/> (columns) unless it is null. With <paramref name="last"/>, each row piece of a finished
    /// tile goes through the epilogue at its place in the whole matrix.
    /// </summary>
    public static void Multiply<TEpilogue>(
        float* a, long lda, int rows, float* b, int columns, int k, float* c, long ldc, float alpha, float beta, float* bias,
        bool last, in TEpilogue epilogue, int row0, int column0)
        where TEpilogue : struct, IGemmEpilogue
    {
        for (int j = 0; j < columns; j += Columns, b += PanelStride(k))
        {
            Sweep(a, lda, rows, b, Columns, Math.Min(Columns, columns - j), k, c + j, ldc, alpha, beta, bias == null ? null : bias + j,
                last, in epilogue, row0, column0 + j, firstOfRows: j == 0);
        }
    }

    /// <summary>
    /// The same for one panel of B, of which <paramref name="width"/> columns count; with <paramref name="firstOfRows"/> A is asked for ahead.
    /// </summary>
    public static void Sweep<TEpilogue>(
        float* a, long lda, int rows, float* b, long ldb, int width, int k, float* c, long ldc, float alpha, float beta, float* bias,
        bool last, in TEpilogue epilogue, int row0, int column0, bool firstOfRows = false)
        where TEpilogue : struct, IGemmEpilogue
    {
        float* edge = stackalloc float[Rows * 32], start = stackalloc float[32];
        if (bias == null)
            start = null;
        else
            new ReadOnlySpan<float>(bias, width).CopyTo(new Span<float>(start, width));
        int height;
        for (int row = 0; row < rows; row += height, a += height * lda, c += height * ldc)
        {
            int left = rows - row;
            height = Math.Min(left, left is 7 or 8 or <= 4 ? 4 : Rows); // 7 as 4 + 3, not as 6 + 1
            if (firstOfRows)
                HostPrefetch.Rows(a + height * lda, lda, Math.Min(Rows, left - height), k);
            HostPrefetch.Rows(c, ldc, height, width);
            if (TEpilogue.Active && last)
                epilogue.Prefetch(row0 + row, column0, height, width);
            if (width == Columns && height == Rows)
                Run<TileOfSix>(a, lda, Rows, b, ldb, k, c, ldc, alpha, beta, start);
            else if (width == Columns && height == 4)
                Run<TileOfFour>(a, lda, 4, b, ldb, k, c, ldc, alpha, beta, start);
            else if (width == TSimd.Width && height == Rows)
                Run<HalfTile>(a, lda, Rows, b, ldb, k, c, ldc, alpha, beta, start);
            else
                Edge(a, lda, height, b, ldb, width, k, edge, c, ldc, alpha, beta, start);
            if (!TEpilogue.Active || !last)
                continue;
            for (int r = 0; r < height; r++)
                epilogue.Apply(c + r * ldc, row0 + row + r, column0, width);
        }
    }

    private static void Edge(
        float* a, long lda, int height, float* b, long ldb, int width, int k, float* edge, float* c, long ldc,
        float alpha, float beta, float* bias)
    {
        if (width <= TSimd.Width)
            Run<HalfTile>(a, lda, height, b, ldb, k, edge, Columns, alpha, 0, bias);
        else if (height <= 4)
            Run<TileOfFour>(a, lda, height, b, ldb, k, edge, Columns, alpha, 0, bias);
        else
            Run<TileOfSix>(a, lda, height, b, ldb, k, edge, Columns, alpha, 0, bias);
        for (int r = 0; r < height; r++, c += ldc, edge += Columns)
        {
            for (int j = 0; j < width; j++)
                c[j] = beta == 0 ? edge[j] : edge[j] + beta * c[j];
        }
    }

    private static void Run<TTile>(
        float* a, long lda, int height, float* b, long ldb, int k, float* c, long ldc, float alpha, float beta, float* bias)
        where TTile : struct, ITile
    {
        if (ldb == Columns)
            Tile<TTile>(a, lda, height, b, ldb, k, c, ldc, alpha, beta, bias);
        else
            Tile<Strided<TTile>>(a, lda, height, b, ldb, k, c, ldc, alpha, beta, bias);
    }

    /// <summary>All rows of a tile are computed and stored; of a shorter one the last row is computed again in place of those missing.</summary>
    private static void Tile<TTile>(
        float* a, long lda, int height, float* b, long ldb, int k, float* c, long ldc, float alpha, float beta, float* bias)
        where TTile : struct, ITile
    {
        int end = height - 1;
        float* a0 = a, a1 = a + Math.Min(1, end) * lda, a2 = a + Math.Min(2, end) * lda, a3 = a + Math.Min(3, end) * lda;
        float* a4 = a + Math.Min(4, end) * lda, a5 = a + Math.Min(5, end) * lda;
        TVector c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        TVector c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        TVector b0, b1 = default, x;
        int w = TSimd.Width;
        if (bias != null)
        {
            c00 = c10 = c20 = c30 = c40 = c50 = TSimd.Load(bias);
            c01 = c11 = c21 = c31 = c41 = c51 = TSimd.Load(bias + w);
        }
        // Four steps a turn: with two, and another program on the same core, the ends of the turns cost 7 %.
        nint p = 0, next = TTile.PackedB ? Columns : (nint)ldb;
        for (nint lastTurn = k - 4; p <= lastTurn; p += 4, b += 4 * next)
        {
            b0 = TSimd.Load(b);
            if (TTile.Vectors > 1)
                b1 = TSimd.Load(b + w);
            x = TSimd.Create(a0[p]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            if (TTile.Vectors > 1)
                c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Create(a1[p]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            if (TTile.Vectors > 1)
                c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Create(a2[p]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            if (TTile.Vectors > 1)
                c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Create(a3[p]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            if (TTile.Vectors > 1)
                c31 = TSimd.MultiplyAdd(x, b1, c31);
            if (TTile.Rows > 4)
            {
                x = TSimd.Create(a4[p]);
                c40 = TSimd.MultiplyAdd(x, b0, c40);
                if (TTile.Vectors > 1)
                    c41 = TSimd.MultiplyAdd(x, b1, c41);
                x = TSimd.Create(a5[p]);
                c50 = TSimd.MultiplyAdd(x, b0, c50);
                if (TTile.Vectors > 1)
                    c51 = TSimd.MultiplyAdd(x, b1, c51);
            }

            b0 = TSimd.Load(b + 1 * next);
            if (TTile.Vectors > 1)
                b1 = TSimd.Load(b + 1 * next + w);
            x = TSimd.Create(a0[p + 1]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            if (TTile.Vectors > 1)
                c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Create(a1[p + 1]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            if (TTile.Vectors > 1)
                c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Create(a2[p + 1]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            if (TTile.Vectors > 1)
                c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Create(a3[p + 1]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            if (TTile.Vectors > 1)
                c31 = TSimd.MultiplyAdd(x, b1, c31);
            if (TTile.Rows > 4)
            {
                x = TSimd.Create(a4[p + 1]);
                c40 = TSimd.MultiplyAdd(x, b0, c40);
                if (TTile.Vectors > 1)
                    c41 = TSimd.MultiplyAdd(x, b1, c41);
                x = TSimd.Create(a5[p + 1]);
                c50 = TSimd.MultiplyAdd(x, b0, c50);
                if (TTile.Vectors > 1)
                    c51 = TSimd.MultiplyAdd(x, b1, c51);
            }

            b0 = TSimd.Load(b + 2 * next);
            if (TTile.Vectors > 1)
                b1 = TSimd.Load(b + 2 * next + w);
            x = TSimd.Create(a0[p + 2]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            if (TTile.Vectors > 1)
                c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Create(a1[p + 2]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            if (TTile.Vectors > 1)
                c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Create(a2[p + 2]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            if (TTile.Vectors > 1)
                c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Create(a3[p + 2]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            if (TTile.Vectors > 1)
                c31 = TSimd.MultiplyAdd(x, b1, c31);
            if (TTile.Rows > 4)
            {
                x = TSimd.Create(a4[p + 2]);
                c40 = TSimd.MultiplyAdd(x, b0, c40);
                if (TTile.Vectors > 1)
                    c41 = TSimd.MultiplyAdd(x, b1, c41);
                x = TSimd.Create(a5[p + 2]);
                c50 = TSimd.MultiplyAdd(x, b0, c50);
                if (TTile.Vectors > 1)
                    c51 = TSimd.MultiplyAdd(x, b1, c51);
            }

            b0 = TSimd.Load(b + 3 * next);
            if (TTile.Vectors > 1)
                b1 = TSimd.Load(b + 3 * next + w);
            x = TSimd.Create(a0[p + 3]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            if (TTile.Vectors > 1)
                c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Create(a1[p + 3]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            if (TTile.Vectors > 1)
                c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Create(a2[p + 3]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            if (TTile.Vectors > 1)
                c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Create(a3[p + 3]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            if (TTile.Vectors > 1)
                c31 = TSimd.MultiplyAdd(x, b1, c31);
            if (TTile.Rows > 4)
            {
                x = TSimd.Create(a4[p + 3]);
                c40 = TSimd.MultiplyAdd(x, b0, c40);
                if (TTile.Vectors > 1)
                    c41 = TSimd.MultiplyAdd(x, b1, c41);
                x = TSimd.Create(a5[p + 3]);
                c50 = TSimd.MultiplyAdd(x, b0, c50);
                if (TTile.Vectors > 1)
                    c51 = TSimd.MultiplyAdd(x, b1, c51);
            }
        }
        for (; p < k; p++, b += next)
        {
            b0 = TSimd.Load(b);
            if (TTile.Vectors > 1)
                b1 = TSimd.Load(b + w);
            x = TSimd.Create(a0[p]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            if (TTile.Vectors > 1)
                c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Create(a1[p]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            if (TTile.Vectors > 1)
                c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Create(a2[p]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            if (TTile.Vectors > 1)
                c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Create(a3[p]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            if (TTile.Vectors > 1)
                c31 = TSimd.MultiplyAdd(x, b1, c31);
            if (TTile.Rows > 4)
            {
                x = TSimd.Create(a4[p]);
                c40 = TSimd.MultiplyAdd(x, b0, c40);
                if (TTile.Vectors > 1)
                    c41 = TSimd.MultiplyAdd(x, b1, c41);
                x = TSimd.Create(a5[p]);
                c50 = TSimd.MultiplyAdd(x, b0, c50);
                if (TTile.Vectors > 1)
                    c51 = TSimd.MultiplyAdd(x, b1, c51);
            }
        }
        Store<TTile>(c, c00, c01, alpha, beta);
        Store<TTile>(c + ldc, c10, c11, alpha, beta);
        Store<TTile>(c + 2 * ldc, c20, c21, alpha, beta);
        Store<TTile>(c + 3 * ldc, c30, c31, alpha, beta);
        if (TTile.Rows <= 4)
            return;
        Store<TTile>(c + 4 * ldc, c40, c41, alpha, beta);
        Store<TTile>(c + 5 * ldc, c50, c51, alpha, beta);
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

    // The sizes of a tile as types, so that one source is compiled for each without the parts that it lacks.
    private interface ITile
    {
        static abstract int Rows { get; }

        static abstract int Vectors { get; }

        /// <summary>Whether B's lines follow each other, which saves the arithmetic of addresses.</summary>
        static abstract bool PackedB { get; }
    }

    private readonly struct TileOfSix : ITile
    {
        public static int Rows => 6;

        public static int Vectors => 2;

        public static bool PackedB => true;
    }

    private readonly struct TileOfFour : ITile
    {
        public static int Rows => 4;

        public static int Vectors => 2;

        public static bool PackedB => true;
    }

    private readonly struct HalfTile : ITile
    {
        public static int Rows => 6;

        public static int Vectors => 1;

        public static bool PackedB => true;
    }

    private readonly struct Strided<TTile> : ITile where TTile : struct, ITile
    {
        public static int Rows => TTile.Rows;

        public static int Vectors => TTile.Vectors;

        public static bool PackedB => false;
    }
}
