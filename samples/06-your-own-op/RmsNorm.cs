using System.Runtime.CompilerServices;
using Dino.Tensors;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Samples;

/// <summary>y = w · x / √(mean x² + ε) for each row (Zhang and Sennrich, 2019): a row op with its gradient.</summary>
public static class RmsNormOp
{
    /// <summary>x: (…, n), weight: (n); the result has the shape of x.</summary>
    /// <exception cref="ArgumentException">The weight has not as many elements as a row of x.</exception>
    public static Tensor RmsNorm(this Tensor x, Tensor weight, float eps = 1e-6f)
    {
        var device = Operands.Check(x, weight);
        if (weight.Count != x.Shape.RowLength)
            throw new ArgumentException(
                $"RmsNorm of {x.Shape} needs a weight of ({x.Shape.RowLength}), not {weight.Shape}.", nameof(weight));
        var y = Tensor.Empty(device, x.Shape);
        device.Launch(new ForwardLaunch(x, weight, y, eps));
        Tape.For(x, weight)?.Add<BackwardNode>(y).Of(x, weight, eps);
        return y;
    }

    private readonly struct ForwardLaunch(Tensor x, Tensor weight, Tensor y, float eps) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.RowLength;
            run.Rows(x.Shape.Rows, n, new Forward<T, TMemory>(n, eps, TMemory.Of(x), TMemory.Of(weight), TMemory.Of(y)));
        }
    }

    /// <summary>One row, shared by its lanes: one on the host, a part of a group on a GPU.</summary>
    public readonly struct Forward<T, TMemory>(int n, float eps, TMemory x, TMemory weight, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly float eps = eps;
        private readonly TMemory x = x, weight = weight, y = y;

        /// <inheritdoc/>
        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n;
            float squares = RowSum.Of<T, TLanes, Products<T, TMemory>>(lanes, new(x, x), begin, end);
            T scale = T.Of(1 / MathF.Sqrt(squares / n + eps));
            for (int i = begin + lanes.Id * T.Width; i < end; i += lanes.Count * T.Width)
                y.Store(i, end, x.Load(i, end) * scale * weight.Load(i - begin, n));
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, weight = null!;
        private float eps;

        public void Of(Tensor input, Tensor scale, float epsilon) => (x, weight, eps) = (Save(input), Save(scale), epsilon);

        public override void Backward(Tensor dy)
        {
            var terms = Tensor.Empty(dy.Device, dy.Shape); // of the gradient of the weight, which is their sum over the rows
            var dx = Tape.GradientOf(x, out int accumulate);
            dy.Device.Launch(new BackwardLaunch(x, weight, dy, dx, terms, eps, dx is null ? -1 : accumulate));
            if (Tape.GradientOf(weight, out accumulate) is { } dw)
                ColumnSum.Run(terms, dw, accumulate);
        }
    }

    private readonly struct BackwardLaunch(Tensor x, Tensor weight, Tensor dy, Tensor? dx, Tensor terms, float eps, int mode) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.RowLength;
            run.Rows(x.Shape.Rows, n, new Backward<T, TMemory>(
                n, eps, mode, TMemory.Of(x), TMemory.Of(weight), TMemory.Of(dy), TMemory.Of(dx), TMemory.Of(terms)));
        }
    }

    /// <summary>
    /// With r = 1/√(mean x² + ε) and g = w·dy: dx = r · (g − r² x · mean(g·x)), and the terms dy · x · r of dw. A mode of −1 is without dx.
    /// </summary>
    public readonly struct Backward<T, TMemory>(
        int n, float eps, int mode, TMemory x, TMemory weight, TMemory dy, TMemory dx, TMemory terms) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, mode = mode;
        private readonly float eps = eps;
        private readonly TMemory x = x, weight = weight, dy = dy, dx = dx, terms = terms;

        /// <inheritdoc/>
        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n;
            RowSum.OfTwo<T, TLanes, Sums<T, TMemory>>(lanes, new(begin, x, weight, dy), begin, end, out float squares, out float along);
            float inverse = 1 / MathF.Sqrt(squares / n + eps);
            T scale = T.Of(inverse), back = T.Of(inverse * inverse * along / n);
            for (int i = begin + lanes.Id * T.Width; i < end; i += lanes.Count * T.Width)
            {
                T a = x.Load(i, end), d = dy.Load(i, end);
                if (mode >= 0)
                    dx.Deliver(i, end, (d * weight.Load(i - begin, n) - a * back) * scale, mode);
                terms.Store(i, end, d * a * scale);
            }
        }
    }

    /// <summary>Σ x² and Σ w · dy · x of a row: a sum of one's own says what is added, and the order is the library's.</summary>
    private readonly struct Sums<T, TMemory>(int begin, TMemory x, TMemory weight, TMemory dy) : IRowTerms<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int begin = begin;
        private readonly TMemory x = x, weight = weight, dy = dy;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void AddTo(ref T first, ref T second, int i, int end)
        {
            T a = x.Load(i, end);
            first = T.Fma(a, a, first);
            second = T.Fma(a * weight.Load(i - begin, end - begin), dy.Load(i, end), second);
        }
    }
}
