using Dino.Tensors.Kernels.Gemm;

namespace Dino.Tensors.Ops;

/// <summary>C = op(A) · op(B), where op may transpose.</summary>
public static class MatMulOp
{
    /// <summary>
    /// The matrix product of the last two dimensions: a (…, m, k), or (…, k, m) with <paramref name="transposeA"/>; b (…, k, n), or
    /// (…, n, k) with <paramref name="transposeB"/>; the result (…, m, n). The leading dimensions must be equal.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor MatMul(this Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        var shape = Fit(a, b, transposeA, transposeB);
        var device = a.Device;
        var c = device.Rent(ResultShape(a.Shape, shape));
        MatrixProduct.Run(device, shape, a, b, c);
        Tape.For(a, b)?.Add<BackwardNode>(c).Of(a, b, transposeA, transposeB);
        return c;
    }

    private static GemmShape Fit(Tensor a, Tensor b, bool transposeA, bool transposeB)
    {
        Operands.Check(a, b, op: "MatMul");
        bool fits = a.Shape.Rank >= 2 && a.Shape.Rank == b.Shape.Rank;
        int batch = 1;
        for (int i = 0; fits && i < a.Shape.Rank - 2; i++)
        {
            fits = a.Shape[i] == b.Shape[i];
            batch *= a.Shape[i];
        }
        if (!fits || a.Shape[transposeA ? -2 : -1] != b.Shape[transposeB ? -1 : -2])
            throw new ArgumentException($"A product of {a.Summary}{(transposeA ? " transposed" : "")} and "
                + $"{b.Summary}{(transposeB ? " transposed" : "")} is not defined.");
        int m = a.Shape[transposeA ? -1 : -2], k = a.Shape[transposeA ? -2 : -1], n = b.Shape[transposeB ? -2 : -1];
        return GemmShape.Dense(m, n, k, transposeA, transposeB, batch);
    }

    private static Shape ResultShape(Shape a, GemmShape shape) => a.Rank switch
    {
        2 => new(shape.M, shape.N),
        3 => new(a[0], shape.M, shape.N),
        _ => new(a[0], a[1], shape.M, shape.N),
    };

    private sealed class BackwardNode : Node
    {
        private Tensor a = null!, b = null!;
        private bool transposeA, transposeB;

        public void Of(Tensor left, Tensor right, bool transposeLeft, bool transposeRight)
        {
            (a, b) = (right.RequiresGrad ? Save(left) : Track(left), left.RequiresGrad ? Save(right) : Track(right));
            (transposeA, transposeB) = (transposeLeft, transposeRight);
        }

        public override void Backward(Tensor dy)
        {
            // With C = A B: dA = dC Bᵀ and dB = Aᵀ dC; transposing A or B transposes and swaps the factors.
            if (Tape.GradientOf(a, out int accumulate) is { } da)
                Product(transposeA ? b : dy, transposeA ? dy : b, da, transposeA && transposeB, transposeA || !transposeB, accumulate);
            if (Tape.GradientOf(b, out accumulate) is { } db)
                Product(transposeB ? dy : a, transposeB ? a : dy, db, transposeB || !transposeA, transposeB && transposeA, accumulate);
        }

        private static void Product(Tensor left, Tensor right, Tensor target, bool transposeLeft, bool transposeRight, int accumulate) =>
            MatrixProduct.Run(target.Device, Fit(left, right, transposeLeft, transposeRight) with { Beta = accumulate }, left, right,
                target);
    }
}
