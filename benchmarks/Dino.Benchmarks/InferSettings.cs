using System.Globalization;

namespace Dino.Benchmarks;

/// <summary>The sizes of a measured feature extraction.</summary>
internal sealed record InferSettings(string Arch, int Patch, int Size, int Batch, int Iters, int Warmup, int Threads)
{
    /// <summary>The options that give these sizes to either program.</summary>
    public string[] Arguments =>
        ["--arch", Arch, "--patch", Text(Patch), "--size", Text(Size), "--batch", Text(Batch), "--iters", Text(Iters),
            "--warmup", Text(Warmup), "--threads", Text(Threads)];

    /// <summary>As in <c>vit_small/16 224 px batch 8, 2 threads</c>.</summary>
    public override string ToString() => $"{Arch}/{Patch} {Size} px batch {Batch}, {Threads} threads";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
