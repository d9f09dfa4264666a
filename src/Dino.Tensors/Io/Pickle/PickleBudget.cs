namespace Dino.Tensors.Io.Pickle;

/// <summary>
/// What a pickle may cost: a few bytes can describe a great deal (lists in lists, one list named many times), so whatever is made of them
/// is paid for first.
/// </summary>
internal sealed class PickleBudget(string file)
{
    /// <summary>Bytes of memory, estimated. A full checkpoint of ViT-B needs about 3 MiB.</summary>
    public const int Limit = 32 << 20;

    private long left = Limit;

    public void Spend(long bytes)
    {
        left -= bytes;
        if (left < 0)
            throw new InvalidDataException($"{file}: the pickle describes more than the {Limit >> 20} MiB of plain data that are read.");
    }
}
