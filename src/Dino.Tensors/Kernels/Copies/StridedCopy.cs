namespace Dino.Tensors.Kernels.Copies;

/// <summary>
/// y[i, j, k, l] = x[i·s₀ + j·s₁ + k·s₂ + l·s₃]: what transposing and repeating come down to in row-major memory. Not differentiable
/// itself.
/// </summary>
internal static class StridedCopy
{
    /// <summary>How far it is in x from one index of a dimension of y to the next; 0 repeats.</summary>
    public readonly record struct Strides(int S0, int S1, int S2, int S3)
    {
        /// <summary>Those of up to four dimensions, the outermost first.</summary>
        public static Strides Of(ReadOnlySpan<int> strides)
        {
            Span<int> s = stackalloc int[Shape.MaxRank];
            s.Clear();
            strides.CopyTo(s[(Shape.MaxRank - strides.Length)..]);
            return new(s[0], s[1], s[2], s[3]);
        }
    }

    /// <summary>Writes all of y, or adds to it.</summary>
    public static void Run(Tensor x, Strides strides, Tensor y, int accumulate) => x.Device.Launch(new Launch(x, strides, y, accumulate));

    private readonly struct Launch(Tensor x, Strides strides, Tensor y, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            var shape = y.Shape;
            int below = shape.Rank > 1 ? shape[-2] : 1, above = shape.Rank > 2 ? shape[-3] : 1;
            run.Rows(shape.Rows, shape.RowLength, new Body<T, TMemory>(
                TMemory.Of(x), strides, TMemory.Of(y), above, below, shape.RowLength, accumulate));
        }
    }

    internal readonly struct Body<T, TMemory>(TMemory x, Strides strides, TMemory y, int above, int below, int n, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, y = y;
        private readonly int s0 = strides.S0, s1 = strides.S1, s2 = strides.S2, s3 = strides.S3;
        private readonly int above = above, below = below, n = n, accumulate = accumulate;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory x = this.x, y = this.y;
            int matrix = row / below, to = row * n, end = to + n;
            int from = matrix / above * s0 + matrix % above * s1 + row % below * s2;
            if (s3 == 1)
            {
                for (int i = lanes.Id * T.Width; i < n; i += lanes.Count * T.Width)
                    y.Deliver(to + i, end, x.Load(from + i, from + n), accumulate);
            }
            else if (s3 == 0)
            {
                T value = T.Of(x[from]);
                for (int i = lanes.Id * T.Width; i < n; i += lanes.Count * T.Width)
                    y.Deliver(to + i, end, value, accumulate);
            }
            else
            {
                for (int i = lanes.Id; i < n; i += lanes.Count)
                {
                    float value = x[from + i * s3];
                    y[to + i] = accumulate != 0 ? y[to + i] + value : value;
                }
            }
        }
    }
}
