namespace Dino.Pictures.Loading;

/// <summary>
/// Which pictures stand in which batch of one rank: step after step, epoch after epoch, without end. The batches of all ranks, in rank
/// order, are
/// together the batch of one rank that takes as many pictures as all of them. One caller at a time.
/// </summary>
internal sealed class SampleSequence(int pictures, CropLoaderOptions options, int stepsPerEpoch)
{
    private readonly SampleOrder order = new(pictures, options.Seed);
    private int epoch = options.StartEpoch, step = options.StartStep;

    /// <summary>Fills in the positions in the epoch's order of the next batch, and the samples that stand there.</summary>
    public (int Epoch, int Step) Next(Span<int> positions, Span<int> wanted)
    {
        if (step == stepsPerEpoch)
            (epoch, step) = (epoch + 1, 0);
        for (int i = 0; i < positions.Length; i++)
        {
            positions[i] = (step * options.Ranks + options.Rank) * positions.Length + i;
            wanted[i] = order[epoch, positions[i]];
        }
        return (epoch, step++);
    }
}
