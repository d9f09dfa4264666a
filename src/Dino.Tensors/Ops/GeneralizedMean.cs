using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>yⱼ = (1/N Σₙ max(xₙⱼ, ε)ᵖ)^(1/p), GeM pooling (Radenović et al. 2018, eq. 3).</summary>
public static class GeneralizedMeanOp
{
    /// <summary>The generalised mean over tokens: x (B, N, D) → (B, D). Not recorded: a feature for retrieval.</summary>
    /// <param name="x">(B, N, D) with N ≥ 1.</param>
    /// <param name="power">p; 1 is the mean, ∞ the maximum.</param>
    /// <param name="floor">ε, what smaller values are raised to.</param>
    public static Tensor GeneralizedMean(this Tensor x, float power, float floor = 1e-6f)
    {
        Operands.Check(x);
        if (x.Shape.Rank != 3 || x.Shape[1] == 0 || !(power > 0) || !(floor > 0))
            throw new ArgumentException($"GeM needs (B, N, D) with N ≥ 1, p > 0 and ε > 0, not {x.Shape}, {power}, {floor}.");
        var y = x.Device.Rent(new Shape(x.Shape[0], x.Shape[2]));
        x.Device.Launch(new Launch(x, y, power, floor));
        return y;
    }

    private readonly struct Launch(Tensor x, Tensor y, float power, float floor) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape[1], d = x.Shape[2];
            run.Rows(x.Shape[0], d, new Body<T, TMemory>(n, d, power, floor, TMemory.Of(x), TMemory.Of(y)), work: n * d);
        }
    }

    /// <summary>One image a row.</summary>
    internal readonly struct Body<T, TMemory>(int n, int d, float power, float floor, TMemory x, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, d = d;
        private readonly float power = power, floor = floor;
        private readonly TMemory x = x, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            for (int i = lanes.Id * T.Width; i < d; i += lanes.Count * T.Width)
            {
                int start = row * n * d;
                T max = T.Of(floor);
                for (int token = 0, at = start; token < n; token++, at += d)
                {
                    T value = x.Load(at + i, at + d);
                    max = T.KeepNaN(max, T.KeepNaN(value, T.Max(value, max)));
                }
                T mean = max;
                if (!float.IsInfinity(power))
                {
                    T sum = RowSum.OfColumn<T, Powers<T, TMemory>>(new(x, start + i, d, i, max, floor, power), 0, n);
                    mean = max * Power(sum * T.Of(1f / n), 1 / power);
                    // ∞ / ∞ is NaN.
                    mean = T.KeepNaN(max, T.WhereLess(T.Of(float.MaxValue), max, max, mean));
                }
                y.Store(row * d + i, row * d + d, mean);
            }
        }
    }

    private static T Power<T>(T x, float p) where T : struct, IReal<T> => Real.ExpOfNegative(T.Of(p) * Real.Log(x));

    /// <summary>Σ (max(x, ε) / max)ᵖ of a column: of numbers up to 1 no power overflows, and the largest does not vanish.</summary>
    private readonly struct Powers<T, TMemory>(TMemory x, int first, int stride, int column, T max, float floor, float power)
        : IColumnTerm<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x;
        private readonly int first = first, stride = stride, column = column;
        private readonly T max = max;
        private readonly float floor = floor, power = power;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T AddTo(T sum, int row)
        {
            int at = first + row * stride;
            return sum + Power(T.Max(x.Load(at, at - column + stride), T.Of(floor)) / max, power);
        }
    }
}
