namespace Dino.Train.Runs;

/// <summary>The file that a run began with.</summary>
/// <param name="File">Its path at the time.</param>
/// <param name="Sha256">Its checksum: what is compared.</param>
/// <param name="AllowPartial">Whether it was allowed to fit in part.</param>
public sealed record InitialWeights(string File, string Sha256, bool AllowPartial);
