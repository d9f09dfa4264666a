using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>y = x Wᵀ + b, or as the branch of a residual connection, residual + keep · (x Wᵀ + b).</summary>
public static class LinearOp
{
    /// <summary>An affine map of every row: x (…, in), weight (out, in), bias (out) or null; the result (…, out).</summary>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor Linear(this Tensor x, Tensor weight, Tensor? bias)
    {
        var shape = Fit(x, weight, bias);
        var y = x.Device.Rent(x.Shape.WithRowLength(shape.N));
        MatrixProduct.Run(x.Device, shape, x, weight, y, new() { Bias = bias });
        Tape.For(x, weight, bias)?.Add<BackwardNode>(y).Of(x, weight, bias, null, null);
        return y;
    }

    /// <summary>
    /// residual + keep[b] · (x Wᵀ + bias), as <see cref="Linear(Tensor, Tensor, Tensor?)"/> and <see cref="AddBranchOp"/> give it, in one
    /// pass:
    /// x (B, …, in), residual and result (B, …, out), keep (B) or null.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor Linear(this Tensor x, Tensor weight, Tensor? bias, Tensor residual, Tensor? keep)
    {
        Operands.Check(x, weight, residual);
        Operands.With(x, keep, nameof(Linear));
        var shape = Fit(x, weight, bias);
        var y = x.Device.Rent(x.Shape.WithRowLength(shape.N));
        AddProduct(shape, x, weight, bias, residual, keep, y);
        (Tape.For(x, weight, bias) ?? Tape.For(residual))?.Add<BackwardNode>(y).Of(x, weight, bias, residual, keep);
        return y;
    }

    /// <summary>y = residual + keep · (x Wᵀ + bias).</summary>
    internal static void AddProduct(in GemmShape shape, Tensor x, Tensor weight, Tensor? bias, Tensor residual, Tensor? keep, Tensor y)
    {
        y.ThrowIfShapeDiffers(residual);
        AddBranchOp.ThrowIfUnfit(residual, keep);
        MatrixProduct.Run(
            x.Device, shape, x, weight, y, Epilogue.Branch(bias, residual, keep, AddBranchOp.RowsPerSample(residual, keep)));
    }

    /// <summary>The gradients of an affine map, given that of its result; x: (rows, in), dy: (rows, out).</summary>
    internal static void Backward(Tensor x, Tensor weight, Tensor? bias, Tensor dy)
    {
        int rows = dy.Shape.Rows, outputs = weight.Shape[0], inputs = weight.Shape.CountOf(1, weight.Shape.Rank);
        if (Tape.GradientOf(x, out int accumulate) is { } dx)
            MatrixProduct.Run(dy.Device, GemmShape.Dense(rows, inputs, outputs) with { Beta = accumulate }, dy, weight, dx);
        if (weight.RequiresGrad)
            x = Node.Numbers(x);
        BackwardOfParameters(x, weight, bias, dy);
    }

    /// <summary>Those of weight and bias alone.</summary>
    internal static void BackwardOfParameters(Tensor x, Tensor weight, Tensor? bias, Tensor dy)
    {
        int rows = dy.Shape.Rows, outputs = weight.Shape[0], inputs = weight.Shape.CountOf(1, weight.Shape.Rank);
        if (Tape.GradientOf(weight, out int accumulate) is { } dw)
            MatrixProduct.Run(dy.Device, GemmShape.Dense(outputs, inputs, rows, transposeA: true) with { Beta = accumulate }, dy, x, dw);
        if (Tape.GradientOf(bias, out accumulate) is { } db)
            ColumnSum.Run(dy, db, accumulate);
    }

    internal static GemmShape Fit(Tensor x, Tensor weight, Tensor? bias)
    {
        Operands.Check(x, weight, op: nameof(Linear));
        Operands.With(x, bias, nameof(Linear));
        if (weight.Shape.Rank != 2 || x.Shape.Rank == 0 || x.Shape.RowLength != weight.Shape[1])
            throw new ArgumentException($"A linear map of {x.Summary} needs a weight (out, {x.Shape.RowLength}), not {weight.Summary}.");
        if (bias is not null && bias.Count != weight.Shape[0])
            throw new ArgumentException($"A weight of {weight.Shape} needs a bias of ({weight.Shape[0]}), not {bias.Shape}.");
        return GemmShape.Dense(x.Shape.Rows, weight.Shape[0], weight.Shape[1], transposeB: true);
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, weight = null!;
        private Tensor? bias, residual, keep;

        public void Of(Tensor input, Tensor w, Tensor? b, Tensor? stream, Tensor? factors)
        {
            (bias, residual, keep) = (Track(b), Track(stream), Save(factors));
            (x, weight) = (w.RequiresGrad ? SaveOrRemake(input) : Track(input), input.RequiresGrad ? Save(w) : Track(w));
        }

        public override void Backward(Tensor dy)
        {
            if (residual is not null)
                Tape.AddGradient(residual, dy);
            LinearOp.Backward(x, weight, bias, AddBranchOp.OfBranch(dy, keep));
        }
    }
}
