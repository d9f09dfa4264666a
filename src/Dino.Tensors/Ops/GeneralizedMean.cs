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
        var device = x.Device;
        int images = x.Shape[0], n = x.Shape[1], d = x.Shape[2];
        var y = device.Rent(new Shape(images, d));
        if (device.IsHost)
            RowLoop<Body<Simd, HostMemory>>.OnHost(device, images, n * d, new(n, d, power, floor, HostMemory.Of(x), HostMemory.Of(y)));
        else
            RowLoop<Body<Lane, ViewMemory>>.OnAccelerator(device, images, d, new(n, d, power, floor, ViewMemory.Of(x), ViewMemory.Of(y)));
        return y;
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
                T sum = T.Of(0);
                for (int token = 0; token < n; token++)
                {
                    int start = (row * n + token) * d;
                    T value = x.Load(start + i, start + d);
                    sum += Power(T.KeepNaN(value, T.Max(value, T.Of(floor))), power);
                }
                y.Store(row * d + i, row * d + d, Power(sum * T.Of(1f / n), 1 / power));
            }
        }

        private static T Power(T x, float p) => Real.Exp(T.Of(p) * Real.Log(x));
    }
}
