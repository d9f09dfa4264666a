using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>c · x with a constant c.</summary>
public static class ScaleOp
{
    /// <summary><paramref name="factor"/> · x, element by element. Any shape; the result has the same.</summary>
    public static Tensor Scale(this Tensor x, float factor)
    {
        Operands.Check(x);
        var y = x.Device.Rent(x.Shape);
        Run(x, y, factor, accumulate: 0);
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, factor);
        return y;
    }

    /// <summary>y = factor · x, or y += factor · x; not recorded.</summary>
    internal static void Run(Tensor x, Tensor y, float factor, int accumulate) => x.Device.Launch(new Launch(x, y, factor, accumulate));

    private readonly struct Launch(Tensor x, Tensor y, float factor, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(x.Count, new Body<T, TMemory>(TMemory.Of(x), TMemory.Of(y), factor, accumulate));
    }

    internal readonly struct Body<T, TMemory>(TMemory x, TMemory y, float factor, int accumulate) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, y = y;
        private readonly float factor = factor;
        private readonly int accumulate = accumulate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end) => y.Deliver(i, end, T.Of(factor) * x.Load(i, end), accumulate);
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;
        private float factor;

        public void Of(Tensor input, float by) => (x, factor) = (Track(input), by);

        public override void Backward(Tensor dy) => Run(dy, Tape.GradientOf(x, out int accumulate)!, factor, accumulate);
    }
}
