namespace Dino.Train.Runs;

/// <summary>
/// Refuses what a checkpoint cannot say of its run. Its text is a stranger's until it is compared: a step of −1 would be trained from, an
/// epoch without steps divided by.
/// </summary>
internal static class CheckpointCheck
{
    /// <exception cref="RunException">A number is impossible; the message says which.</exception>
    public static void Verify(string path, CheckpointInfo info)
    {
        string? wrong =
            info.Step < 0 ? $"step {info.Step}"
            : info.StepsPerEpoch < 1 ? $"{info.StepsPerEpoch} steps an epoch"
            : info.Pictures < 1 ? $"{info.Pictures} pictures"
            : info.Epochs < 1 ? $"{info.Epochs} epochs"
            : info.Step > (long)info.Epochs * info.StepsPerEpoch ? $"step {info.Step} of a run of {(long)info.Epochs * info.StepsPerEpoch}"
            : !double.IsFinite(info.Epoch) || info.Epoch < 0 ? FormattableString.Invariant($"epoch {info.Epoch}")
            : null;
        if (wrong is not null)
            throw new RunException($"{path} says something impossible of its run: {wrong}. It was damaged or altered; take another "
                + $"checkpoint.");
    }
}
