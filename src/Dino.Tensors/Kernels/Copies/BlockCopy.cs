namespace Dino.Tensors.Kernels.Copies;

/// <summary>
/// Copies equally long, equally spaced blocks of one tensor to equally spaced places of another, or adds them there: what slicing and
/// concatenating along a dimension come down to in row-major memory. Not differentiable itself.
/// </summary>
internal static class BlockCopy
{
    private const int Piece = 4096; // a long block is shared by many groups or cores

    /// <summary>A run of blocks: where the first begins, and how far it is to the next.</summary>
    public readonly record struct Blocks(int Start, int Stride);

    public static void Run(Tensor from, Blocks source, Tensor to, Blocks target, int count, int length, int accumulate) =>
        from.Device.Launch(new Launch(from, source, to, target, count, length, accumulate));

    private readonly struct Launch(Tensor from, Blocks source, Tensor to, Blocks target, int count, int length, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int pieces = length / Piece + (length % Piece > 0 ? 1 : 0);
            run.Rows(count * pieces, Math.Min(Piece, length), new Body<T, TMemory>(
                TMemory.Of(from), TMemory.Of(to), source, target, length, pieces, accumulate));
        }
    }

    internal readonly struct Body<T, TMemory>(
        TMemory from, TMemory to, Blocks source, Blocks target, int length, int pieces, int accumulate)
        : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory from = from, to = to;
        private readonly int start = source.Start, stride = source.Stride, toStart = target.Start, toStride = target.Stride;
        private readonly int length = length, pieces = pieces, accumulate = accumulate;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int block = row / pieces, first = row % pieces * Piece, last = first + Math.Min(length - first, Piece);
            int source = start + block * stride, target = toStart + block * toStride;
            for (int i = first + lanes.Id * T.Width; i < last; i += lanes.Count * T.Width)
                to.Deliver(target + i, target + last, from.Load(source + i, source + last), accumulate);
        }
    }
}
