namespace Dino.Tensors;

/// <summary>
/// The processes, or threads, that train one model together, each on its own part of the batch and on its own device. Whatever is a sum
/// over the whole batch goes through here: gradients, centres, moments of batch normalisation, measurements.
/// </summary>
/// <remarks>
/// Every rank calls the same members in the same order with tensors of the same shape, and gets the same numbers to the last bit: an
/// implementation adds in rank order, or by any other rule that is the same on all ranks. <see cref="OneRank"/> is the implementation for
/// a run of one process. An implementation need not know kernels: <see cref="Tensor.ToArray"/> and
/// <see cref="Tensor.CopyFrom(ReadOnlySpan{float})"/> are enough.
/// </remarks>
public interface IRanks
{
    /// <summary>Which of them this is, from 0.</summary>
    int Rank { get; }

    /// <summary>How many there are, at least 1.</summary>
    int Count { get; }

    /// <summary>Replaces a tensor of floats by the sum of the ranks' tensors. Not recorded by a <see cref="Tape"/>.</summary>
    /// <param name="tensor">Of the same shape on all ranks.</param>
    void Sum(Tensor tensor);

    /// <summary>
    /// The rows of all ranks, in the order of the ranks. Not recorded by a <see cref="Tape"/>: <see cref="Ops.AllGatherOp"/> has the
    /// gradient.
    /// </summary>
    /// <param name="tensor">Floats (rows, …), of the same shape on all ranks.</param>
    /// <returns>(<see cref="Count"/> · rows, …) in the current arena; with one rank it may be the tensor itself.</returns>
    Tensor Gather(Tensor tensor);

    /// <summary>Waits until all ranks have come here.</summary>
    void Barrier();
}
