using Dino.Tensors;

namespace Dino.Train.Runs;

/// <summary>What the ranks of a run decide together, so that all do the same.</summary>
internal sealed class RankAgreement(IRanks ranks, Device device) : IDisposable
{
    private readonly Tensor? votes = ranks.Count > 1 ? Tensor.Zeros(device, new Shape(1)) : null;

    /// <summary>Whether any rank says so. All ask at the same place.</summary>
    public bool Any(bool mine)
    {
        if (votes is null)
            return mine;
        votes.Fill(mine ? 1 : 0);
        ranks.Sum(votes);
        return votes.Item() > 0;
    }

    /// <summary>Whether all ranks have the number of rank 0. All ask at the same place.</summary>
    public bool IsSame(long mine)
    {
        if (votes is null)
            return true;
        votes.Fill(ranks.Rank == 0 ? mine : 0);
        ranks.Sum(votes);
        return !Any(votes.Item() != (float)mine);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => votes?.Dispose();
}
