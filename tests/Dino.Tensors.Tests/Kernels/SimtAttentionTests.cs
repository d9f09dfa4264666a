using Dino.Tensors.Kernels.Attention;
using Dino.Tensors.Kernels.Gemm;
using ILGPU;
using ILGPU.Runtime;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>The accelerator's attention against double precision, where it can run: simulated threads and OpenCL.</summary>
public class SimtAttentionTests
{
    [TestCase(1, 5, 2, 3)]
    [TestCase(1, 18, 1, 35)]
    public void Attention_OnSimulatedThreads(int images, int tokens, int heads, int dim)
    {
        using var device = SimtAccelerator.Open("cpu");
        Check<SimtTile4>(device, new AttentionShape(images, tokens, heads, dim), spread: 1);
    }

    [Test]
    public void Attention_OnOpenCL()
    {
        using var device = SimtAccelerator.Open("opencl");
        Check<SimtTile4>(device, new AttentionShape(2, 18, 2, 40), spread: 1);
        Check<SimtTile8>(device, new AttentionShape(2, 37, 3, 24), spread: 1);
        Check<SimtTile8>(device, new AttentionShape(1, 40, 1, 100), spread: 1);
        Check<SimtTile16>(device, new AttentionShape(2, 70, 2, 64), spread: 1);
        Check<SimtTile16>(device, new AttentionShape(1, 130, 1, 128), spread: 1);
    }

    [Test]
    public void LargeScores_DoNotOverflow()
    {
        using var device = SimtAccelerator.Open("cpu");
        // All scores near −2000: the padding's score of 0 would be e²⁰⁰⁰ times too large if it were let in.
        Check<SimtTile4>(device, new AttentionShape(1, 5, 1, 4) { Scale = -500 }, spread: 1, offset: 1, tolerance: 1e-3);
    }

    private static void Check<TTile>(
        SimtAccelerator device, AttentionShape shape, double spread, float offset = 0, double tolerance = 5e-6)
        where TTile : struct, ISimtTile
    {
        var reference = new AttentionReference(shape, spread, offset);
        string tile = $"{typeof(TTile).Name}, {shape}";
        AttentionArguments arguments = SimtAttention<TTile>.Arguments(shape);
        AttentionArguments adding = SimtAttention<TTile>.Arguments(shape, accumulate: true);
        var config = new KernelConfig(SimtAttention<TTile>.GridSize(arguments, shape.Images), SimtAttention<TTile>.GroupSize);
        using var qkv = device.Upload(reference.Qkv);
        using var gradResult = device.Upload(reference.GradResult);
        using var result = device.Filled(reference.Result.Length, float.NaN);
        using var stats = device.Filled(2 * reference.Lse.Length, float.NaN);
        using var delta = device.Filled(reference.Lse.Length, float.NaN);
        using var weights = device.Filled(reference.Weights.Length, float.NaN);
        using var grad = device.Filled(reference.Qkv.Length, float.NaN);

        Accelerator accelerator = device.Accelerator;
        accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, AttentionArguments>(
            SimtAttention<TTile>.Forward)(config, qkv.View, result.View, stats.View, arguments);
        AttentionReference.AreClose(result.GetAsArray1D(), reference.Result, tolerance, $"{tile}: result");
        AttentionReference.AreClose(AttentionReference.LogSums(stats.GetAsArray1D()), reference.Lse, tolerance, $"{tile}: row sums");

        var weightsConfig = new KernelConfig(SimtAttention<TTile>.WeightsGridSize(arguments, shape.Images), SimtAttention<TTile>.GroupSize);
        accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, AttentionArguments>(
            SimtAttention<TTile>.Weights)(weightsConfig, qkv.View, stats.View, weights.View, arguments);
        AttentionReference.AreClose(weights.GetAsArray1D(), reference.Weights, tolerance, $"{tile}: weights");

        int count = reference.Lse.Length;
        accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, int, AttentionArguments>(
            SimtAttention<TTile>.Delta)(
                new KernelConfig((count + 15) / 16, 16), result.View, gradResult.View, delta.View, count, arguments);
        var queries = accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
            AttentionArguments>(SimtAttention<TTile>.BackwardQueries);
        var keys = accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
            AttentionArguments>(SimtAttention<TTile>.BackwardKeys);
        queries(config, qkv.View, stats.View, delta.View, gradResult.View, grad.View, arguments);
        keys(config, qkv.View, stats.View, delta.View, gradResult.View, grad.View, arguments);
        AttentionReference.AreClose(grad.GetAsArray1D(), reference.GradQkv, 2 * tolerance, $"{tile}: gradient");

        queries(config, qkv.View, stats.View, delta.View, gradResult.View, grad.View, adding);
        keys(config, qkv.View, stats.View, delta.View, gradResult.View, grad.View, adding);
        double[] twice = [.. reference.GradQkv.Select(x => 2 * x)];
        AttentionReference.AreClose(grad.GetAsArray1D(), twice, 2 * tolerance, $"{tile}: gradient twice");
    }
}
