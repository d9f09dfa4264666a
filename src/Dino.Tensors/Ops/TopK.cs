using System.Numerics;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Host;

namespace Dino.Tensors.Ops;

/// <summary>The k largest numbers of every row, and where they stand.</summary>
public static class TopKOp
{
    /// <summary>
    /// The largest <paramref name="k"/> of every row, in descending order. x: (…, n) with 1 ≤ k ≤ n; the values and their places in the row
    /// (<see cref="DType.Int32"/>): (…, k). Of equal numbers, and −0 equals 0, the one further left comes first; NaN comes after all
    /// numbers. No gradient passes.
    /// </summary>
    /// <exception cref="ArgumentException">x is a scalar, or its rows have fewer than k numbers.</exception>
    public static (Tensor Values, Tensor Indices) TopK(this Tensor x, int k)
    {
        Operands.Check(x);
        if (x.Shape.Rank == 0)
            throw new ArgumentException("TopK: a scalar has no rows.", nameof(x));
        int rows = x.Shape.Rows, n = x.Shape.RowLength;
        if (k < 1 || k > n)
            throw new ArgumentException($"TopK: {k} numbers of each row of {x.Summary}: there can be 1 to {n}.", nameof(k));
        var device = x.Device;
        var shape = x.Shape.WithRowLength(k);
        var values = device.Rent(shape);
        var indices = device.Rent(shape, DType.Int32);
        if (device.IsHost)
        {
            HostTopK.Run(x, values, indices, rows, n, k);
        }
        else
        {
            using var scope = device.BeginScope();
            var keys = device.Rent(shape, DType.Int32);
            var places = device.Rent(shape, DType.Int32);
            int placeBits = 32 - BitOperations.LeadingZeroCount((uint)(n - 1));
            RowLoop<Select>.OnAccelerator(
                device, rows, n, new(n, k, placeBits, ViewMemory.Of(x), ViewMemory.Of(keys), ViewMemory.Of(places)));
            RowLoop<Order>.OnAccelerator(
                device, rows, k,
                new(n, k, ViewMemory.Of(x), ViewMemory.Of(keys), ViewMemory.Of(places), ViewMemory.Of(values), ViewMemory.Of(indices)));
        }
        return (values, indices);
    }

    /// <summary>The bits of a float as a whole number in the same order: −0 as 0, NaN below everything.</summary>
    internal static int Key(int bits)
    {
        int magnitude = bits & 0x7fffffff;
        if (magnitude > 0x7f800000)
            return int.MinValue;
        return bits < 0 ? -magnitude : magnitude;
    }

    /// <summary>
    /// Finds, bit by bit, the key of the k-th largest and then the place of the last that is chosen among its equals, each bit by a count
    /// over the row; writes what is chosen in the order of the lanes.
    /// </summary>
    internal readonly struct Select(int n, int k, int placeBits, ViewMemory x, ViewMemory keys, ViewMemory places) : IRowBody
    {
        private readonly int n = n, k = k, placeBits = placeBits;
        private readonly ViewMemory x = x, keys = keys, places = places;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n;
            int threshold = CountFrom(lanes, begin, 0) >= k ? 0 : int.MinValue;
            for (int bit = 30; bit >= 0; bit--)
            {
                int probe = threshold | (1 << bit);
                if (CountFrom(lanes, begin, probe) >= k)
                    threshold = probe;
            }

            // No key is int.MaxValue: the largest is that of infinity.
            int equals = k - (int)CountFrom(lanes, begin, threshold + 1), last = 0;
            for (int bit = placeBits - 1; bit >= 0; bit--)
            {
                int probe = last | (1 << bit);
                float before = 0;
                for (int i = lanes.Id; i < n; i += lanes.Count)
                    before += i < probe && Key(x.Int(begin + i)) == threshold ? 1f : 0f;
                if (lanes.Sum(before) < equals)
                    last = probe;
            }

            float mine = 0;
            for (int i = lanes.Id; i < n; i += lanes.Count)
                mine += IsChosen(i, Key(x.Int(begin + i)), threshold, last) != 0 ? 1f : 0f;
            int slot = row * k + (int)lanes.SumBefore(mine);
            ViewMemory chosenKeys = keys, chosenPlaces = places;
            for (int i = lanes.Id; i < n; i += lanes.Count)
            {
                int key = Key(x.Int(begin + i));
                if (IsChosen(i, key, threshold, last) == 0)
                    continue;
                chosenKeys.SetInt(slot, key);
                chosenPlaces.SetInt(slot, i);
                slot++;
            }
        }

        private static int IsChosen(int place, int key, int threshold, int last) =>
            key > threshold || (key == threshold && place <= last) ? 1 : 0;

        private float CountFrom<TLanes>(TLanes lanes, int begin, int key) where TLanes : struct, ILanes
        {
            float count = 0;
            for (int i = lanes.Id; i < n; i += lanes.Count)
                count += Key(x.Int(begin + i)) >= key ? 1f : 0f;
            return lanes.Sum(count);
        }
    }

    /// <summary>Puts each of the k chosen where as many others precede it.</summary>
    internal readonly struct Order(
        int n, int k, ViewMemory x, ViewMemory keys, ViewMemory places, ViewMemory values, ViewMemory indices) : IRowBody
    {
        private readonly int n = n, k = k;
        private readonly ViewMemory x = x, keys = keys, places = places, values = values, indices = indices;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * k, end = begin + k;
            ViewMemory sorted = values, where = indices;
            for (int i = begin + lanes.Id; i < end; i += lanes.Count)
            {
                int key = keys.Int(i), place = places.Int(i), to = begin;
                for (int j = begin; j < end; j++)
                {
                    int other = keys.Int(j);
                    to += other > key || (other == key && places.Int(j) < place) ? 1 : 0;
                }
                sorted[to] = x[row * n + place];
                where.SetInt(to, place);
            }
        }
    }
}
