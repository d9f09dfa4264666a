namespace Dino.Tensors;

/// <summary>How a <see cref="Device"/> is set up.</summary>
public sealed record DeviceOptions
{
    /// <summary>
    /// The most <see cref="Threads"/> there can be: each takes memory of the process, which ends where there is none left.
    /// </summary>
    public const int MaxThreads = 1024;

    /// <summary>Host threads of the <c>cpu</c> device; 0 takes as many as the process may use.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or more than <see cref="MaxThreads"/>.</exception>
    public int Threads
    {
        get;
        init => field = value is >= 0 and <= MaxThreads
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Threads), value, $"A device has 0 to {MaxThreads} threads; 0 takes as many as there are processors.");
    }

    /// <summary>The arithmetic of matrix products and attention.</summary>
    public Precision Precision { get; init; }

    /// <summary>Whose matrix products.</summary>
    public Blas Blas { get; init; }

    /// <summary>Bytes to take of the device's memory at most, to leave the rest to others; 0 for all of it.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>
    /// On <c>cpu:debug</c>: threads of a group run one after the other, each from barrier to barrier, in the order of their numbers. Who
    /// reads
    /// what a later one has yet to write then always reads too early, so that a missing barrier shows.
    /// </summary>
    public bool InOrder { get; init; }

    /// <summary>
    /// For tests: memory that is handed out holds NaN, and ended tensors are never reused, so that reading what was not written and using
    /// what has ended both show. An arena, a recording or tensors that somebody seems to have forgotten are named
    /// (<see cref="OnWarning"/>).
    /// </summary>
    public bool Strict { get; init; }

    /// <summary>Takes the warnings of a <see cref="Strict"/> device; without it they are lines on standard error.</summary>
    public Action<string>? OnWarning { get; init; }
}
