using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>A function of one number and its derivative: an elementwise op in a few lines, by <see cref="Unary{TFunction}"/>.</summary>
public interface IUnary
{
    /// <summary>f(x)</summary>
    static abstract T Forward<T>(T x) where T : struct, IReal<T>;

    /// <summary>dy · f′(x).</summary>
    static abstract T Backward<T>(T x, T dy) where T : struct, IReal<T>;
}

/// <summary>The op of a unary functor: y = f(x), element by element.</summary>
public static class Unary<TFunction> where TFunction : struct, IUnary
{
    /// <summary>f(x), recorded. Any shape; the result has the same.</summary>
    public static Tensor Apply(Tensor x)
    {
        Operands.Check(x, op: (typeof(TFunction).DeclaringType ?? typeof(TFunction)).Name);
        var y = x.Device.Rent(x.Shape);
        Into(x, y);
        Tape.For(x)?.Add<BackwardNode>(y).Of(x);
        return y;
    }

    /// <summary>Writes f(x) to <paramref name="y"/>, which may be x itself; not recorded.</summary>
    public static void Into(Tensor x, Tensor y) => x.Device.Launch(new ForwardLaunch(x, y));

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;

        public void Of(Tensor input) => x = Save(input);

        public override void Backward(Tensor dy) =>
            dy.Device.Launch(new BackwardLaunch(x, dy, Tape.GradientOf(x, out int accumulate)!, accumulate));
    }

    private readonly struct ForwardLaunch(Tensor x, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Elements(x.Count, new Forward<T, TMemory>(TMemory.Of(x), TMemory.Of(y)));
    }

    private readonly struct BackwardLaunch(Tensor x, Tensor dy, Tensor dx, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(x.Count, new Backward<T, TMemory>(TMemory.Of(x), TMemory.Of(dy), TMemory.Of(dx), accumulate));
    }

    internal readonly struct Forward<T, TMemory>(TMemory x, TMemory y) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, y = y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end) => y.Store(i, end, TFunction.Forward(x.Load(i, end)));
    }

    internal readonly struct Backward<T, TMemory>(TMemory x, TMemory dy, TMemory dx, int accumulate) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, dy = dy, dx = dx;
        private readonly int accumulate = accumulate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end) => dx.Deliver(i, end, TFunction.Backward(x.Load(i, end), dy.Load(i, end)), accumulate);
    }
}
