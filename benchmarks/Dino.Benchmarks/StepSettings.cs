using System.Globalization;
using Dino.Model;
using Dino.Tensors;

namespace Dino.Benchmarks;

/// <summary>The sizes of a measured training step; 2 global crops of 224 pixels and some local ones of 96.</summary>
internal sealed record StepSettings(
    string Arch, int Patch, int Batch, int OutDim, int LocalCrops, int Iters, int Warmup, int Threads)
{
    /// <summary>Pixels along the side of a crop.</summary>
    public const int GlobalSize = 224, LocalSize = 96;

    /// <summary>Whether blocks are computed again in the backward pass; the peer keeps them.</summary>
    public bool Recompute { get; init; }

    /// <summary>Whether four steps are timed together, without a wait in between, as in training; phases are then not told apart.</summary>
    public bool Whole { get; init; }

    /// <summary>The arithmetic of our products and attention.</summary>
    public Precision Precision { get; init; }

    /// <summary>Whose products ours are.</summary>
    public Blas Blas { get; init; }

    /// <summary>How <see cref="DeviceOptions"/> put it.</summary>
    public DeviceOptions DeviceOptions => new() { Threads = Threads, Precision = Precision, Blas = Blas };

    /// <summary>The networks' backbone.</summary>
    public ViTConfig Backbone => ViTConfig.Named(Arch, Patch);

    /// <summary>The networks' head.</summary>
    public DinoHeadConfig Head => new() { OutDim = OutDim };

    /// <summary>Tokens that go through the student in a step.</summary>
    public int Tokens => Batch * (2 * ModelFlops.Tokens(Patch, GlobalSize) + LocalCrops * ModelFlops.Tokens(Patch, LocalSize));

    /// <summary>The options that give these sizes to either program.</summary>
    public string[] Arguments =>
        ["--arch", Arch, "--patch", Text(Patch), "--batch", Text(Batch), "--out-dim", Text(OutDim), "--local-crops", Text(LocalCrops),
            "--iters", Text(Iters), "--warmup", Text(Warmup), "--threads", Text(Threads)];

    /// <summary>The options that give these sizes to this program.</summary>
    public string[] OwnArguments => [
        .. Arguments, .. Flag(Recompute, "--recompute"), .. Flag(Whole, "--whole"), "--precision", Precision.ToString().ToLowerInvariant(),
        "--blas", Blas.ToString().ToLowerInvariant()];

    /// <summary>As in <c>vit_small/16 batch 4 K 65536 crops 2+8, 2 threads</c>.</summary>
    public override string ToString() =>
        $"{Arch}/{Patch} batch {Batch} K {OutDim} crops 2+{LocalCrops}, {Threads} threads{(Recompute ? ", recomputed" : "")}";

    private static string[] Flag(bool isSet, string name) => isSet ? [name] : [];

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
