using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>
/// Products of packed panels: 6 rows of A by two vectors of columns of B. Twelve accumulators keep both FMA units of a
/// core busy and leave room for B and the broadcast A value among 16 registers.
/// </summary>
internal static unsafe class HostTile<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    /// <summary>Rows of a tile: the width of A's panels.</summary>
    public const int Rows = 6;

    /// <summary>Columns of a tile: the width of B's panels.</summary>
    public static int Columns => 2 * TSimd.Width;

    /// <summary>The distance between packed panels of A: room for the packer's surplus, and whole cache lines.</summary>
    public static long PanelStrideA(int k) => (Rows * (long)k + HostPacking.Slack + 15) & ~15L;

    /// <summary>The distance between packed panels of B.</summary>
    public static long PanelStrideB(int k) => Columns * (long)k;

    /// <summary>Packs op(A)[row … row + rows, k0 … k0 + k].</summary>
    public static void PackA(in GemmShape shape, float* a, int row, int rows, int k0, int k, float* panels)
    {
        long stride = PanelStrideA(k);
        if (shape.TransposeA)
        {
            HostPacking.Across(a + (long)k0 * shape.LdA + row, shape.LdA, rows, k, Rows, panels, stride);
            return;
        }
        float* source = a + (long)row * shape.LdA + k0;
        for (int r = 0; r < rows; r += Rows, panels += stride)
            HostPacking.Along(source + (long)r * shape.LdA, shape.LdA, Math.Min(Rows, rows - r), k, Rows, panels);
    }

    /// <summary>Packs op(B)[k0 … k0 + k, column … column + columns].</summary>
    public static void PackB(in GemmShape shape, float* b, int column, int columns, int k0, int k, float* panels)
    {
        long stride = PanelStrideB(k);
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
    /// C (rows × columns) = alpha · A · B + beta · C from packed panels, which hold zeros beyond the edges; the panel of B
    /// stays in the first-level cache while the panels of A pass by. With <paramref name="last"/>, each row piece of a
    /// finished tile goes through the epilogue at its place in the whole matrix.
    /// </summary>
    public static void Multiply<TEpilogue>(
        float* a, int rows, float* b, int columns, int k, float* c, long ldc, float alpha, float beta,
        bool last, in TEpilogue epilogue, int batch, int row0, int column0)
        where TEpilogue : struct, IGemmEpilogue
    {
        long strideA = PanelStrideA(k), strideB = PanelStrideB(k);
        for (int j = 0; j < columns; j += Columns, b += strideB)
        {
            Sweep(a, strideA, rows, b, Math.Min(Columns, columns - j), k, c + j, ldc, alpha, beta, last, in epilogue,
                batch, row0, column0 + j);
        }
    }

    /// <summary>The same for one panel of B, with the panels of A as far apart as given.</summary>
    public static void Sweep<TEpilogue>(
        float* a, long strideA, int rows, float* b, int width, int k, float* c, long ldc, float alpha, float beta,
        bool last, in TEpilogue epilogue, int batch, int row0, int column0)
        where TEpilogue : struct, IGemmEpilogue
    {
        float* edge = stackalloc float[Rows * 32];
        for (int i = 0; i < rows; i += Rows, a += strideA)
        {
            int height = Math.Min(Rows, rows - i);
            float* target = c + i * ldc;
            if (height == Rows && width == Columns)
            {
                Tile(a, b, k, target, ldc, alpha, beta);
            }
            else
            {
                Tile(a, b, k, edge, Columns, alpha, 0);
                AddEdge(edge, height, width, target, ldc, beta);
            }
            if (!TEpilogue.Active || !last)
                continue;
            for (int r = 0; r < height; r++)
                epilogue.Apply(target + r * ldc, batch, row0 + i + r, column0, width);
        }
    }

    private static void AddEdge(float* edge, int height, int width, float* target, long ldc, float beta)
    {
        for (int r = 0; r < height; r++, target += ldc, edge += Columns)
        {
            for (int j = 0; j < width; j++)
                target[j] = beta == 0 ? edge[j] : edge[j] + beta * target[j];
        }
    }

    private static void Tile(float* a, float* b, int k, float* c, long ldc, float alpha, float beta)
    {
        TVector c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        TVector c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        int w = TSimd.Width;
        for (int pairs = k >> 1; pairs > 0; pairs--, a += 2 * Rows, b += 4 * w)
        {
            TVector b0 = TSimd.Load(b), b1 = TSimd.Load(b + w), x;
            x = TSimd.Create(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Create(a[1]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Create(a[2]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Create(a[3]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Create(a[4]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            x = TSimd.Create(a[5]);
            c50 = TSimd.MultiplyAdd(x, b0, c50);
            c51 = TSimd.MultiplyAdd(x, b1, c51);

            b0 = TSimd.Load(b + 2 * w);
            b1 = TSimd.Load(b + 3 * w);
            x = TSimd.Create(a[6]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Create(a[7]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Create(a[8]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Create(a[9]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Create(a[10]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            x = TSimd.Create(a[11]);
            c50 = TSimd.MultiplyAdd(x, b0, c50);
            c51 = TSimd.MultiplyAdd(x, b1, c51);
        }
        if ((k & 1) != 0)
        {
            TVector b0 = TSimd.Load(b), b1 = TSimd.Load(b + w), x;
            x = TSimd.Create(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Create(a[1]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Create(a[2]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Create(a[3]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Create(a[4]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            x = TSimd.Create(a[5]);
            c50 = TSimd.MultiplyAdd(x, b0, c50);
            c51 = TSimd.MultiplyAdd(x, b1, c51);
        }
        Store(c, c00, c01, alpha, beta);
        Store(c + ldc, c10, c11, alpha, beta);
        Store(c + 2 * ldc, c20, c21, alpha, beta);
        Store(c + 3 * ldc, c30, c31, alpha, beta);
        Store(c + 4 * ldc, c40, c41, alpha, beta);
        Store(c + 5 * ldc, c50, c51, alpha, beta);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, TVector v0, TVector v1, float alpha, float beta)
    {
        int w = TSimd.Width;
        TVector scale = TSimd.Create(alpha);
        v0 = TSimd.Multiply(v0, scale);
        v1 = TSimd.Multiply(v1, scale);
        if (beta != 0)
        {
            TVector keep = TSimd.Create(beta);
            v0 = TSimd.MultiplyAdd(keep, TSimd.Load(c), v0);
            v1 = TSimd.MultiplyAdd(keep, TSimd.Load(c + w), v1);
        }
        TSimd.Store(v0, c);
        TSimd.Store(v1, c + w);
    }
}
