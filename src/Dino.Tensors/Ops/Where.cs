using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>x where a condition holds, otherwise y.</summary>
public static class WhereOp
{
    /// <summary>
    /// The element of x where the condition is not 0, otherwise that of y; what is not chosen gets no gradient, whatever it is. The
    /// condition
    /// holds floats (as comparisons give them) or whole numbers. Shapes are the same, or fit as in <see cref="AddOp.Add(Tensor, Tensor)"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the devices differ.</exception>
    public static Tensor Where(this Tensor x, Tensor condition, Tensor y)
    {
        Operands.Check(x, y);
        var mask = Mask.Of(x, condition, nameof(condition), nameof(Where));
        if (!Shape.TryBroadcast(x.Shape, y.Shape, out var shape) || !Shape.TryBroadcast(shape, mask.Shape, out shape))
            throw new ArgumentException(
                $"Where: {x.Shape}, a condition of {mask.Shape} and {y.Shape} do not fit: from the last on, sizes must be equal, or 1.");
        (x, mask, y) = (ExpandOp.To(x, shape), ExpandOp.To(mask, shape), ExpandOp.To(y, shape));
        var z = x.Device.Rent(shape);
        x.Device.Launch(new Launch(mask, x, y, z));
        Tape.For(x, y)?.Add<BackwardNode>(z).Of(mask, x, y);
        return z;
    }

    private readonly struct Launch(Tensor mask, Tensor x, Tensor y, Tensor z) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(z.Count, new Body<T, TMemory>(TMemory.Of(mask), TMemory.Of(x), TMemory.Of(y), TMemory.Of(z)));
    }

    internal readonly struct Body<T, TMemory>(TMemory mask, TMemory x, TMemory y, TMemory z) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory mask = mask, x = x, y = y, z = z;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end) => z.Store(i, end, Mask.Choose(mask.Load(i, end), x.Load(i, end), y.Load(i, end)));
    }

    private sealed class BackwardNode : Node
    {
        private Tensor mask = null!, x = null!, y = null!;

        public void Of(Tensor condition, Tensor first, Tensor second) => (mask, x, y) = (Save(condition), Track(first), Track(second));

        public override void Backward(Tensor dy)
        {
            if (Tape.GradientOf(x, out int accumulate) is { } dx)
                MaskedFillOp.Run(dy, mask, 0, dx, fillMasked: false, accumulate);
            if (Tape.GradientOf(y, out accumulate) is { } target)
                MaskedFillOp.Run(dy, mask, 0, target, fillMasked: true, accumulate);
        }
    }
}
