using Dino.Tensors;

namespace Dino.Benchmarks;

/// <summary>What a run on a GPU measures.</summary>
/// <param name="Device">Ours.</param>
/// <param name="PeerDevice">The peer's name for it.</param>
/// <param name="Steps">Sizes of steps.</param>
/// <param name="Precisions">Of the steps and the roofline, ours and the peer's.</param>
/// <param name="Side">Side of the large product.</param>
/// <param name="Pictures">Pictures of the batch that row ops and attention are timed for.</param>
/// <param name="SecondsAnOp">Time for an operator of the roofline.</param>
internal sealed record GpuPlan(
    string Device, string PeerDevice, IReadOnlyList<StepSettings> Steps, IReadOnlyList<Precision> Precisions, int Side, int Pictures,
    double SecondsAnOp)
{
    private const int Prototypes = 65536, Iters = 10, Warmup = 3;

    /// <summary>The paper's networks and 65,536 prototypes.</summary>
    public static GpuPlan Full(string device) => new(
        device, device.StartsWith("cuda", StringComparison.Ordinal) ? device : "cuda",
        [Step("vit_small", 16, 64), Step("vit_small", 8, 16), Step("vit_base", 16, 32)], Enum.GetValues<Precision>(), 8192, 64, 0.3);

    /// <summary>The smallest sizes at which everything happens, on the host.</summary>
    public static GpuPlan Dry { get; } = new(
        "cpu", "cpu",
        [new StepSettings("vit_tiny", 16, Batch: 1, OutDim: 512, LocalCrops: 2, Iters: 2, Warmup: 1,
            Environment.ProcessorCount) { Whole = true }],
        [Precision.Fp32, Precision.Bf16], 256, 1, 0.02);

    private static StepSettings Step(string arch, int patch, int batch) =>
        new(arch, patch, batch, Prototypes, LocalCrops: 8, Iters, Warmup, Environment.ProcessorCount) { Whole = true };
}
