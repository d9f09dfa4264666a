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

    /// <summary>Demands that b has the shape of a, or its trailing dimensions after any number of ones.</summary>
    public static void ThrowIfNotBroadcast(
        Tensor a, Tensor b, string op, [CallerArgumentExpression(nameof(a))] string? aName = null,
        [CallerArgumentExpression(nameof(b))] string? bName = null)
    {
        Operands.Check(a, b, op: op, xName: aName, secondName: bName);
        int first = 0; // of the dimensions of b that count
        while (first < b.Shape.Rank && b.Shape.Rank - first > 1 && b.Shape[first] == 1)
            first++;
        int rank = b.Shape.Rank - first;
        bool fits = rank > 0 ? rank <= a.Shape.Rank : a.Shape.Rank == 0;
        for (int i = 1; fits && i <= rank; i++)
            fits = a.Shape[-i] == b.Shape[-i];
        if (!fits)
            throw new ArgumentException(
                $"{op}: {b.Shape} must be the shape of the first operand, {a.Shape}, or its trailing dimensions (after any ones).");
    }

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

    internal readonly struct Elements<T, TMemory>(TMemory a, TMemory b, TMemory z, int accumulate) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory a = a, b = b, z = z;
        private readonly int accumulate = accumulate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end) => z.Deliver(i, end, TFunction.Apply(a.Load(i, end), b.Load(i, end)), accumulate);
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
