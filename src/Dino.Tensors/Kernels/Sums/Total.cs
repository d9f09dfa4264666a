using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels.Sums;

/// <summary>What is summed over all elements.</summary>
internal interface ITerm
{
    static abstract T Of<T>(T x) where T : struct, IReal<T>;
}

/// <summary>scale · Σ term(x) over all elements, as a scalar on the device: block by block, then over the blocks.</summary>
internal static class Total<TTerm> where TTerm : struct, ITerm
{
    private const int BlockSize = 1 << 12;

    public static Tensor Of(Tensor x, float scale = 1)
    {
        Operands.Check(x, op: "Sum");
        var device = x.Device;
        var sums = device.Rent(new Shape(x.Count / BlockSize + (x.Count % BlockSize > 0 ? 1 : 0)));
        var y = device.Rent(new Shape());
        device.Launch(new Launch(x, sums, y, scale));
        return y;
    }

    private readonly struct Launch(Tensor x, Tensor sums, Tensor y, float scale) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int blocks = sums.Count;
            run.Rows(blocks, BlockSize, new Block<T, TMemory>(x.Count, TMemory.Of(x), TMemory.Of(sums)));
            run.Rows(1, blocks, new Whole<T, TMemory>(blocks, scale, TMemory.Of(sums), TMemory.Of(y)));
        }
    }

    internal readonly struct Block<T, TMemory>(int n, TMemory x, TMemory sums) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory x = x;
        private readonly TMemory sums = sums;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * BlockSize, end = begin + Math.Min(n - begin, BlockSize);
            float sum = RowSum.Of<T, TLanes, Terms<T, TMemory>>(lanes, new(x), begin, end);
            TMemory s = sums;
            if (lanes.Id == 0)
                s[row] = sum;
        }
    }

    internal readonly struct Whole<T, TMemory>(int blocks, float scale, TMemory sums, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int blocks = blocks;
        private readonly float scale = scale;
        private readonly TMemory sums = sums, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            float sum = RowSum.Of<T, TLanes, Elements<T, TMemory>>(lanes, new(sums), 0, blocks);
            TMemory result = y;
            if (lanes.Id == 0)
                result[0] = scale * sum;
        }
    }

    private readonly struct Terms<T, TMemory>(TMemory x) : IRowTerm<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T AddTo(T sum, int i, int end) => sum + TTerm.Of(x.Load(i, end));
    }
}

/// <summary>x itself.</summary>
internal readonly struct PlainTerm : ITerm
{
    public static T Of<T>(T x) where T : struct, IReal<T> => x;
}
