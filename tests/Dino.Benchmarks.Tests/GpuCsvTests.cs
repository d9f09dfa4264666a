using Dino.Tensors;
using NUnit.Framework;

namespace Dino.Benchmarks.Tests;

public class GpuCsvTests
{
    [Test]
    public void Tables_HoldWhatWasMeasured_AndWhyTheRestWasNot()
    {
        string folder = Directory.CreateTempSubdirectory("dino-gpu-").FullName;
        var sizes = GpuPlan.Dry.Steps[0];
        var report = new GpuReport(
            "GPU, one", new RoofReport("GPU", 1000, 2000, 3000, 400),
            [
                new GpuStep("ours", sizes, 2.5, 2, 3, 400, 100, null),
                new GpuStep("peer", sizes with { Precision = Precision.Bf16 }, 0, 0, 0, 0, 0, "no \"torch\", sorry"),
            ],
            [new GpuRoofline(
                Precision.Tf32, new RooflineReport(
                    "roofline", "GPU, one", 2000, 400, [new RooflineRow("mm 2^3", 1, 1, 1, 500, OpTable.Flops, 0.25)]))]);
        GpuCsv.WriteSteps(report, Path.Combine(folder, "steps.csv"));
        GpuCsv.WriteRoofline(report, Path.Combine(folder, "roofline.csv"));
        string[] steps = File.ReadAllLines(Path.Combine(folder, "steps.csv")),
            roofline = File.ReadAllLines(Path.Combine(folder, "roofline.csv"));
        Directory.Delete(folder, recursive: true);

        Assert.That(steps[1], Does.EndWith(",\"GPU, one\",ours,vit_tiny,16,1,2+2,512,fp32,2.5,2,3,400,100,"));
        Assert.That(steps[2], Does.EndWith(",peer,vit_tiny,16,1,2+2,512,bf16,,,,,,\"no 'torch', sorry\""));
        Assert.That(roofline[^1], Does.EndWith(",tf32,mm 2^3,1,1,1,500,GFLOP/s,0.25,PyTorch"));
        Assert.That(roofline, Has.One.Contains(",,PyTorch copy,,,,400,GB/s"));
    }

    [Test]
    public void MeasurementsThatCannotRun_AreNamed_AndTheOthersGoOn()
    {
        List<string> said = [];
        var report = new GpuBenchmark(GpuPlan.Dry, Path.Combine(Path.GetTempPath(), "none.py"), "python3", TimeSpan.Zero, said.Add).Run();

        Assert.That(report.Steps.Select(step => step.Program), Is.EqualTo(["ours", "peer", "ours", "peer"]));
        Assert.That(report.Steps.Select(step => step.Error), Is.All.Contains("not measured"));
        Assert.That(said, Has.Some.Contains("roof: not measured"));
    }
}
