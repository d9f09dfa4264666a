using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>y = [cls; patches] + positions (Dosovitskiy et al. 2021, eq. 1), with registers after the class token or without.</summary>
public static class ClassTokenOp
{
    /// <summary>
    /// Puts the class token, and registers if there are any (Darcet et al. 2024), before the patch tokens and adds the position embedding:
    /// patches (B, P, D), cls (1, K, D), positions (1, K + P, D) or null; the result (B, K + P, D).
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor WithClassToken(this Tensor patches, Tensor cls, Tensor? positions)
    {
        Operands.Check(patches, cls);
        Operands.With(patches, positions, nameof(WithClassToken));
        int d = patches.Shape.Rank == 3 ? patches.Shape[2] : 0, k = d > 0 ? cls.Count / d : 0;
        if (k == 0 || cls.Count != k * d || (positions is not null && positions.Count != ((long)k + patches.Shape[1]) * d))
            throw new ArgumentException(
                $"Patches (B, P, D) need tokens (1, K, D) and positions (1, K + P, D), not {patches.Shape}, {cls.Shape}, "
                    + $"{positions?.Shape}.");
        var y = patches.Device.Rent(new Shape(patches.Shape[0], k + patches.Shape[1], d));
        y.Device.Launch(new ForwardLaunch(patches, cls, positions, y));
        Tape.For(patches, cls, positions)?.Add<BackwardNode>(y).Of(patches, cls, positions);
        return y;
    }

    private readonly struct ForwardLaunch(Tensor patches, Tensor cls, Tensor? positions, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = y.Shape[1], d = y.Shape[2];
            run.Rows(y.Shape[0] * n, d, new Forward<T, TMemory>(
                n, cls.Count / d, d, TMemory.Of(patches), TMemory.Of(cls), TMemory.Of(positions), TMemory.Of(y),
                positions is null ? 0 : 1));
        }
    }

    /// <summary>One token a row.</summary>
    internal readonly struct Forward<T, TMemory>(
        int n, int k, int d, TMemory patches, TMemory cls, TMemory positions, TMemory y, int placed) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, k = k, d = d, placed = placed;
        private readonly TMemory patches = patches, cls = cls, positions = positions, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int image = row / n, token = row - image * n;
            int patch = (image * (n - k) + token - k) * d, position = token * d, result = row * d;
            for (int i = lanes.Id * T.Width; i < d; i += lanes.Count * T.Width)
            {
                T x = token < k ? cls.Load(position + i, position + d) : patches.Load(patch + i, patch + d);
                if (placed != 0)
                    x += positions.Load(position + i, position + d);
                y.Store(result + i, result + d, x);
            }
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor patches = null!, cls = null!;
        private Tensor? positions;

        public void Of(Tensor input, Tensor token, Tensor? table) =>
            (patches, cls, positions) = (Track(input), Track(token), Track(table));

        public override void Backward(Tensor dy)
        {
            int b = dy.Shape[0], n = dy.Shape[1], d = dy.Shape[2], k = cls.Count / d;
            if (Tape.GradientOf(patches, out int accumulate) is { } dx)
                dy.Device.Launch(new PatchGradientLaunch(dy, dx, k, accumulate));
            if (Tape.GradientOf(positions, out accumulate) is { } dp)
                ColumnSum.Run(dy.Alias(new Shape(b, n * d)), dp, accumulate);
            if (Tape.GradientOf(cls, out accumulate) is { } dc)
                dy.Device.Launch(new ClassGradientLaunch(dy, dc, accumulate));
        }
    }

    private readonly struct PatchGradientLaunch(Tensor dy, Tensor dx, int k, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = dy.Shape[1], d = dy.Shape[2];
            run.Rows(dy.Shape[0] * (n - k), d, new PatchGradient<T, TMemory>(n, k, d, TMemory.Of(dy), TMemory.Of(dx), accumulate));
        }
    }

    /// <summary>The rows of dy that belong to patches.</summary>
    internal readonly struct PatchGradient<T, TMemory>(int n, int k, int d, TMemory dy, TMemory dx, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, k = k, d = d, accumulate = accumulate;
        private readonly TMemory dy = dy, dx = dx;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int source = (row + (row / (n - k) + 1) * k) * d, target = row * d;
            for (int i = lanes.Id * T.Width; i < d; i += lanes.Count * T.Width)
                dx.Deliver(target + i, target + d, dy.Load(source + i, source + d), accumulate);
        }
    }

    private readonly struct ClassGradientLaunch(Tensor dy, Tensor dc, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(dc.Count, new ClassGradient<T, TMemory>(
                dy.Shape[0], dy.Shape[1] * dy.Shape[2], dc.Count, TMemory.Of(dy), TMemory.Of(dc), accumulate));
    }

    /// <summary>The sum over the images of the first rows of dy.</summary>
    internal readonly struct ClassGradient<T, TMemory>(int images, int stride, int width, TMemory dy, TMemory dc, int accumulate)
        : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int images = images, stride = stride, width = width, accumulate = accumulate;
        private readonly TMemory dy = dy, dc = dc;

        public void At(int i, int end)
        {
            T sum = T.Of(0);
            for (int image = 0; image < images; image++)
                sum += dy.Load(image * stride + i, image * stride + width);
            dc.Deliver(i, end, sum, accumulate);
        }
    }
}
