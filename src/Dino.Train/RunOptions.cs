using System.Text.Json.Nodes;
using Dino.Pictures.Loading;

namespace Dino.Train;

/// <summary>Where a run writes and how often it does what does not change its result.</summary>
public sealed record RunOptions
{
    /// <summary>The folder of checkpoints and log.</summary>
    public required string OutputDir { get; init; }

    /// <summary>
    /// All options of the run under the names of the program that starts it, written as <c>args.json</c> when it begins or goes on; null
    /// for none.
    /// </summary>
    public JsonObject? Arguments { get; init; }

    /// <summary>Epochs between checkpoints that stay.</summary>
    public int SaveEvery { get; init; } = 20;

    /// <summary>How the crops are made ahead.</summary>
    public PrefetchOptions Prefetch { get; init; } = new();

    /// <summary>Where crops are made of pictures.</summary>
    public Augmentation Augment { get; init; }

    /// <summary>Epochs between k-NN evaluations; 0 for none.</summary>
    public int KnnEvery { get; init; }

    /// <summary>Seconds after which the run ends itself, as for Ctrl-C; null for no limit.</summary>
    public double? MaxSeconds { get; init; }

    /// <summary>Whether a run that the folder holds is replaced; otherwise a new one refuses to begin there.</summary>
    public bool Restart { get; init; }

    /// <summary>Whether the contents of the pictures are compared however many they are, instead of their times alone.</summary>
    public bool Verify { get; init; }

    /// <summary>
    /// Names of the pictures that were held out of those to train with; they are written down in <c>val.txt</c>, and a run that goes on
    /// must hold out the same. Null for none.
    /// </summary>
    public IReadOnlyList<string>? HeldOut { get; init; }
}
