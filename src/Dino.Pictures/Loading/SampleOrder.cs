using Dino.Tensors.Random;

namespace Dino.Pictures.Loading;

/// <summary>The order of the samples of an epoch: a permutation that (seed, epoch) alone decide.</summary>
/// <remarks>
/// Batch t of R ranks together takes the positions t·B·R … (t + 1)·B·R − 1, each rank its B neighbours of them, so that the pictures of a
/// batch do not
/// depend on how many machines share them. What does not fill a step is dropped.
/// </remarks>
internal sealed class SampleOrder(int samples, ulong seed)
{
    private const uint Domain = 0x4F52_0000; // no crop draws from this stream

    private readonly int[] order = new int[samples];
    private int epoch = -1;

    /// <summary>The sample at a position of an epoch; asking for another epoch than the last time makes its order first.</summary>
    public int this[int epoch, int position]
    {
        get
        {
            if (this.epoch != epoch)
            {
                for (int i = 0; i < order.Length; i++)
                    order[i] = i;
                new PhiloxStream(seed, (uint)epoch, 0, Domain).Shuffle(order.AsSpan());
                this.epoch = epoch;
            }
            return order[position];
        }
    }
}
