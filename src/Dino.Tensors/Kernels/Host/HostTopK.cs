using System.Numerics;
using System.Runtime.CompilerServices;
using Dino.Tensors.Ops;

namespace Dino.Tensors.Kernels.Host;

/// <summary>
/// The k largest of a row by a heap of k with the worst at its root, in the memory of the result: most numbers of a long row are
/// passed over a vector at a time.
/// </summary>
internal static unsafe class HostTopK
{
    private const int ElementsPerItem = 1 << 15;

    public static void Run(Tensor x, Tensor values, Tensor indices, int rows, int n, int k)
    {
        int perItem = Math.Max(1, ElementsPerItem / n);
        x.Device.Team.Run((rows + perItem - 1) / perItem, new Job(x.Pointer, values.Pointer, (int*)indices.Pointer, rows, perItem, n, k));
    }

    private static void Row(float* x, int n, Heap heap)
    {
        int k = heap.Size;
        for (int i = 0; i < k; i++)
            heap.Set(i, x[i], i);
        for (int i = k / 2 - 1; i >= 0; i--)
            heap.Sink(i, k);
        for (int i = k; i < n;)
        {
            float worst = heap.Values[0];
            // Nothing compares as greater than NaN, though every number replaces it.
            while (i + Vector<float>.Count <= n && !float.IsNaN(worst)
                && !Vector.GreaterThanAny(Unsafe.ReadUnaligned<Vector<float>>(x + i), new Vector<float>(worst)))
                i += Vector<float>.Count;
            for (int end = Math.Min(n, i + Vector<float>.Count); i < end; i++)
            {
                if (Key(x[i]) <= Key(heap.Values[0]))
                    continue; // of equals the earlier one stays
                heap.Set(0, x[i], i);
                heap.Sink(0, k);
            }
        }
        for (int left = k - 1; left > 0; left--)
        {
            heap.Swap(0, left);
            heap.Sink(0, left);
        }
    }

    private static int Key(float value) => TopKOp.Key(BitConverter.SingleToInt32Bits(value));

    private readonly struct Heap(float* values, int* places, int size)
    {
        public readonly float* Values = values;
        public readonly int Size = size;
        private readonly int* places = places;

        public void Set(int i, float value, int place) => (Values[i], places[i]) = (value, place);

        public void Swap(int i, int j) =>
            (Values[i], Values[j], places[i], places[j]) = (Values[j], Values[i], places[j], places[i]);

        /// <summary>Lets node <paramref name="i"/> down to below all that are worse, among the first <paramref name="size"/>.</summary>
        public void Sink(int i, int size)
        {
            while (true)
            {
                int child = 2 * i + 1;
                if (child >= size)
                    return;
                if (child + 1 < size && IsWorse(child + 1, child))
                    child++;
                if (!IsWorse(child, i))
                    return;
                Swap(i, child);
                i = child;
            }
        }

        private bool IsWorse(int i, int j)
        {
            int a = Key(Values[i]), b = Key(Values[j]);
            return a < b || (a == b && places[i] > places[j]);
        }
    }

    private readonly struct Job(float* x, float* values, int* indices, int rows, int perItem, int n, int k) : IHostJob
    {
        private readonly float* x = x, values = values;
        private readonly int* indices = indices;
        private readonly int rows = rows, perItem = perItem, n = n, k = k;

        public void Run(int item)
        {
            int end = Math.Min(rows, (item + 1) * perItem);
            for (int row = item * perItem; row < end; row++)
                Row(x + (long)row * n, n, new Heap(values + (long)row * k, indices + (long)row * k, k));
        }
    }
}
