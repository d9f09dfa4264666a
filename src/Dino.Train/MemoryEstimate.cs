using System.Globalization;
using Dino.Tensors;

namespace Dino.Train;

/// <summary>How much device memory a training run takes at the height of a step, from its sizes alone; all in bytes.</summary>
/// <param name="Weights">Networks, gradients and the optimizer's moments.</param>
/// <param name="Crops">The pictures of a step.</param>
/// <param name="Kept">What the forward pass keeps for the backward pass.</param>
/// <param name="AtWork">What one block's backward pass needs besides.</param>
/// <param name="Logits">The head's layers and its outputs, with their gradients.</param>
/// <param name="Advice">A sentence that names the properties which lower the need, in backticks, what counts most first.</param>
public sealed record MemoryEstimate(long Weights, long Crops, long Kept, long AtWork, long Logits, string Advice)
{
    /// <summary>All of it.</summary>
    public long Total => Math.Min(long.MaxValue / 2, Weights + Crops + Kept + AtWork + Logits);

    /// <summary>Refuses a run that cannot fit, before anything is allocated.</summary>
    /// <exception cref="RunException">The message names both sizes and the properties that lower the need.</exception>
    public void Check(Device device)
    {
        if (Total <= device.MemoryBytes)
            return;
        throw new RunException(
            string.Create(CultureInfo.InvariantCulture, $"This run needs about {Total / (double)(1 << 30):F1} GiB and {device.Name} has "
                + $"{device.MemoryBytes / (double)(1 << 30):F1} GiB. ")
            + Advice);
    }

    /// <summary>So many floats in bytes; the sum of five such numbers does not overflow.</summary>
    internal static long Bytes(double floats) => (long)Math.Min(long.MaxValue / 8, sizeof(float) * floats);
}
