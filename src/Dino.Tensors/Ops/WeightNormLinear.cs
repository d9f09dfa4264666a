using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Gemm;

namespace Dino.Tensors.Ops;

/// <summary>
/// y = x · wᵀ with w = g · v / ‖v‖₂ for each row of v: a linear map with weight normalisation (Salimans and Kingma, 2016).
/// </summary>
/// <remarks>
/// What <see cref="WeightNormOp"/> and <see cref="LinearOp"/> give one after the other, but the factors g / ‖v‖ go onto the result's
/// columns:
/// the normalised weight (65,536 × 256 in a large head) is never written.
/// </remarks>
public static class WeightNormLinearOp
{
    /// <summary>x: (…, in), directions v: (out, in), lengths g: (out, 1); the result (…, out). A row of zeros in v gives NaN.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor WeightNormLinear(this Tensor x, Tensor v, Tensor g)
    {
        Operands.Check(x, v, g);
        var shape = LinearOp.Fit(x, v, null);
        if (g.Count != shape.N)
            throw new ArgumentException($"WeightNorm of directions {v.Shape} needs lengths of ({shape.N}, 1), not {g.Shape}.", nameof(g));
        var device = x.Device;
        var factors = device.Rent(new Shape(shape.N));
        device.Launch(new FactorsLaunch(v, g, factors));
        var y = device.Rent(x.Shape.WithRowLength(shape.N));
        MatrixProduct.Run(device, shape, x, v, y, Epilogue.ColumnScale(factors));
        Tape.For(x, v, g)?.Add<BackwardNode>(y).Of(x, v, g, factors);
        return y;
    }

    private readonly struct FactorsLaunch(Tensor v, Tensor g, Tensor factors) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(v.Shape.Rows, v.Shape.RowLength, new Factors<T, TMemory>(
                v.Shape.RowLength, TMemory.Of(v), TMemory.Of(g), TMemory.Of(factors)));
    }

    /// <summary>factor = g / ‖v‖ of each row.</summary>
    internal readonly struct Factors<T, TMemory>(int n, TMemory v, TMemory g, TMemory factors) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory v = v, g = g, factors = factors;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            float length = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(v), row * n, row * n + n);
            TMemory result = factors;
            if (lanes.Id == 0)
                result[row] = g[row] / length;
        }
    }

    private readonly struct ColumnScaleLaunch(Tensor x, Tensor factors, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.RowLength;
            run.Rows(x.Shape.Rows, n, new ColumnScale<T, TMemory>(n, TMemory.Of(x), TMemory.Of(factors), TMemory.Of(y)));
        }
    }

    internal readonly struct ColumnScale<T, TMemory>(int n, TMemory x, TMemory factors, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory x = x, factors = factors, y = y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n;
            for (int j = lanes.Id * T.Width; j < n; j += lanes.Count * T.Width)
                y.Store(begin + j, begin + n, x.Load(begin + j, begin + n) * factors.Load(j, n));
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, v = null!, g = null!, factors = null!;

        public void Of(Tensor input, Tensor directions, Tensor lengths, Tensor columnFactors) =>
            (x, v, g, factors) = (SaveOrRemake(input), Save(directions), Save(lengths), Save(columnFactors));

        public override void Backward(Tensor dy)
        {
            var device = dy.Device;
            int rows = dy.Shape.Rows, outputs = v.Shape[0], inputs = v.Shape[1];
            if (Tape.GradientOf(x, out int accumulate) is { } dx)
            {
                var scaled = device.Rent(dy.Shape);
                device.Launch(new ColumnScaleLaunch(dy, factors, scaled));
                MatrixProduct.Run(device, GemmShape.Dense(rows, inputs, outputs) with { Beta = accumulate }, scaled, v, dx);
                scaled.Dispose();
            }
            if (!v.RequiresGrad && !g.RequiresGrad)
                return;
            var dv = Tape.GradientOf(v, out int addV);
            var dg = Tape.GradientOf(g, out int addG);
            // The gradient of the normalised weight lies where that of v is wanted, unless something is there already.
            var dw = dv is not null && addV == 0 ? dv : device.Rent(v.Shape);
            MatrixProduct.Run(device, GemmShape.Dense(outputs, inputs, rows, transposeA: true), dy, Numbers(x), dw);
            WeightNormOp.Backward(v, g, dw, dv, addV, dg, addG);
        }
    }
}
