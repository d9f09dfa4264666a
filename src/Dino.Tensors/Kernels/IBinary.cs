using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>A function of two numbers.</summary>
public interface IBinary
{
    /// <summary>f(a, b)</summary>
    static abstract T Apply<T>(T a, T b) where T : struct, IReal<T>;
}

/// <summary>
/// Runs z = f(a, b), or z += f(a, b), element by element; b has the shape of a, or its trailing dimensions and then serves each of the
/// leading ones.
/// </summary>
public static class Binary<TFunction> where TFunction : struct, IBinary
{
    /// <summary>Writes z, of the shape of a, or adds to it where <paramref name="accumulate"/> is not 0; not recorded.</summary>
    public static void Run(Tensor a, Tensor b, Tensor z, int accumulate = 0) => a.Device.Launch(new Launch(a, b, z, accumulate));

    /// <summary>Writes z = f(a, number), or f(number, a) where <paramref name="numberFirst"/>, or adds it to z; not recorded.</summary>
    public static void Run(Tensor a, float number, Tensor z, bool numberFirst = false, int accumulate = 0) =>
        a.Device.Launch(new NumberLaunch(a, number, z, numberFirst, accumulate));

    private readonly struct Launch(Tensor a, Tensor b, Tensor z, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            if (b.Count == a.Count)
            {
                run.Elements(a.Count, new Elements<T, TMemory>(TMemory.Of(a), TMemory.Of(b), TMemory.Of(z), accumulate));
                return;
            }
            int n = a.Shape.RowLength, period = b.Count / Math.Max(1, n);
            run.Rows(a.Shape.Rows, n, new Rows<T, TMemory>(TMemory.Of(a), TMemory.Of(b), TMemory.Of(z), n, period, accumulate));
        }
    }

    private readonly struct NumberLaunch(Tensor a, float number, Tensor z, bool numberFirst, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(a.Count, new WithNumber<T, TMemory>(TMemory.Of(a), number, TMemory.Of(z), numberFirst ? 1 : 0, accumulate));
    }

    internal readonly struct Elements<T, TMemory>(TMemory a, TMemory b, TMemory z, int accumulate) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory a = a, b = b, z = z;
        private readonly int accumulate = accumulate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end) => z.Deliver(i, end, TFunction.Apply(a.Load(i, end), b.Load(i, end)), accumulate);
    }

    internal readonly struct WithNumber<T, TMemory>(TMemory a, float number, TMemory z, int numberFirst, int accumulate) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory a = a, z = z;
        private readonly float number = number;
        private readonly int numberFirst = numberFirst, accumulate = accumulate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end)
        {
            T x = a.Load(i, end), c = T.Of(number);
            z.Deliver(i, end, numberFirst != 0 ? TFunction.Apply(c, x) : TFunction.Apply(x, c), accumulate);
        }
    }

    internal readonly struct Rows<T, TMemory>(TMemory a, TMemory b, TMemory z, int n, int period, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory a = a, b = b, z = z;
        private readonly int n = n, period = period, accumulate = accumulate;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, back = begin - row % period * n;
            for (int i = begin + lanes.Id * T.Width; i < end; i += lanes.Count * T.Width)
                z.Deliver(i, end, TFunction.Apply(a.Load(i, end), b.Load(i - back, end - back)), accumulate);
        }
    }
}
