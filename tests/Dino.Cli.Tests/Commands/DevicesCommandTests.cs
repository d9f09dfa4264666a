using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>What <c>dino devices</c>, <c>--device auto</c> and <c>--plan</c> say of this machine.</summary>
public class DevicesCommandTests
{
    [Test]
    public void Devices_AreListed_AndForEveryKindWithoutOneThereIsAReason()
    {
        var run = DinoProcess.Run("devices", "--json");

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        using var json = JsonDocument.Parse(run.Output);
        var devices = json.RootElement.GetProperty("devices").EnumerateArray()
            .ToDictionary(device => device.GetProperty("name").GetString()!);
        string[] missing = [.. json.RootElement.GetProperty("missing").EnumerateArray().Select(reason => reason.GetString()!)];
        Assert.That(devices["cpu"].GetProperty("computeUnits").GetInt32(), Is.EqualTo(Environment.ProcessorCount));
        Assert.That(devices["cpu"].GetProperty("memoryBytes").GetInt64(), Is.Positive);
        Assert.That(devices.Keys, Does.Contain("cpu:debug"));
        foreach (var (kind, prefix) in (ReadOnlySpan<(string, string)>)[("cuda:", "CUDA: "), ("opencl:", "OpenCL: ")])
        {
            bool found = devices.Keys.Any(name => name.StartsWith(kind, StringComparison.Ordinal));
            bool explained = missing.Any(reason => reason.StartsWith(prefix, StringComparison.Ordinal));
            Assert.That(found || explained, Is.True, $"neither a device {kind} nor why there is none");
        }
    }

    [Test]
    public void Plan_PrintsTheMemory_AndTrainsNothing()
    {
        using PictureFolder pictures = TinyRun.MakePictures();
        string output = Path.Combine(pictures.Root, "run");

        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", output, "--plan", "--json",
            .. DinoProcess.TinyOptions]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        using var json = JsonDocument.Parse(run.Output);
        long Bytes(string name) => json.RootElement.GetProperty(name + "Bytes").GetInt64();
        string[] parts = ["weights", "crops", "kept", "atWork", "logits"];
        Assert.That(parts.Select(Bytes), Is.All.Positive);
        Assert.That(Bytes("total"), Is.EqualTo(parts.Sum(Bytes)).And.LessThan(Bytes("device")));
        Assert.That(json.RootElement.GetProperty("fits").GetBoolean(), Is.True);
        Assert.That(Directory.Exists(output), Is.False);
    }

    [Test]
    public void Auto_SaysWhatItTook()
    {
        using PictureFolder pictures = TinyRun.MakePictures();

        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--plan", .. DinoProcess.TinyOptions.Skip(2)]);

        Assert.That(DinoProcess.TinyOptions[0], Is.EqualTo("--device"));
        Assert.That(run.Output, Does.Match("(?m)^--device auto takes \\S+"), run.Error);
    }
}
