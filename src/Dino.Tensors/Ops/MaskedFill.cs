using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>x with one number in the places of a mask.</summary>
public static class MaskedFillOp
{
    /// <summary>
    /// The value where the mask is not 0, x elsewhere: <c>scores.MaskedFill(mask, float.NegativeInfinity)</c>. The mask holds floats (as
    /// comparisons give them) or whole numbers, and has the shape of x, or repeats to it. The result has the shape of x.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the devices differ.</exception>
    public static Tensor MaskedFill(this Tensor x, Tensor mask, float value)
    {
        Operands.Check(x);
        mask = Mask.Of(x, mask, nameof(mask), nameof(MaskedFill)).Expand(x.Shape);
        var y = x.Device.Rent(x.Shape);
        Run(x, mask, value, y, fillMasked: true, accumulate: 0);
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, mask);
        return y;
    }

    /// <summary>Writes to y, or adds, the value where the mask is not 0, or else where it is, and x elsewhere; not recorded.</summary>
    internal static void Run(Tensor x, Tensor mask, float value, Tensor y, bool fillMasked, int accumulate) =>
        x.Device.Launch(new Launch(x, mask, value, y, fillMasked ? 1 : 0, accumulate));

    private readonly struct Launch(Tensor x, Tensor mask, float value, Tensor y, int fillMasked, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(x.Count, new Body<T, TMemory>(TMemory.Of(x), TMemory.Of(mask), value, TMemory.Of(y), fillMasked, accumulate));
    }

    internal readonly struct Body<T, TMemory>(TMemory x, TMemory mask, float value, TMemory y, int fillMasked, int accumulate)
        : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, mask = mask, y = y;
        private readonly float value = value;
        private readonly int fillMasked = fillMasked, accumulate = accumulate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end)
        {
            T m = mask.Load(i, end), number = x.Load(i, end), fill = T.Of(value);
            y.Deliver(i, end, fillMasked != 0 ? Mask.Choose(m, fill, number) : Mask.Choose(m, number, fill), accumulate);
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, mask = null!;

        public void Of(Tensor input, Tensor where) => (x, mask) = (Track(input), Save(where));

        public override void Backward(Tensor dy) =>
            Run(dy, mask, 0, Tape.GradientOf(x, out int accumulate)!, fillMasked: true, accumulate);
    }
}
