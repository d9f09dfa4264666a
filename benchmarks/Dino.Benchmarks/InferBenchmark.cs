using System.Diagnostics;
using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Nn;

namespace Dino.Benchmarks;

/// <summary>Feature extraction: class tokens of a backbone for noise pictures, without gradients.</summary>
internal static class InferBenchmark
{
    /// <summary>Does the warm-up and the measured batches.</summary>
    public static InferReport Run(InferSettings settings, string deviceName)
    {
        using var device = Device.Open(deviceName, new DeviceOptions { Threads = settings.Threads });
        var backbone = new VisionTransformer(ViTConfig.Named(settings.Arch, settings.Patch));
        using var parameters = new FlatParameters(backbone, device, trainable: false);
        parameters.Initialize(0);
        using var pictures = Noise.Tensor(device, new Shape(settings.Batch, 3, settings.Size, settings.Size), 0);
        var times = new List<double>();
        for (int i = 0; i < settings.Warmup + settings.Iters; i++)
        {
            using var arena = device.BeginArena();
            long start = Stopwatch.GetTimestamp();
            backbone.Forward(pictures);
            device.Synchronize();
            if (i >= settings.Warmup)
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        var ms = Spread.Of(times);
        double resident = Machine.PeakResidentMiB();
        double gflop = settings.Batch * ModelFlops.Backbone(backbone.Config, settings.Size) / 1e9;
        var peak = PeakShare.Measure(device, settings.Threads, gflop, ms.Median);
        return new InferReport(
            "infer", settings.Arch, settings.Patch, settings.Size, settings.Batch, settings.Threads, ms, settings.Batch / ms.Median * 1000,
            resident, gflop, peak.Gflops, peak.Share);
    }
}
