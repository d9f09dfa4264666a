using System.Diagnostics;
using System.Runtime.InteropServices;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>
/// PyTorch in another process, where this machine has it: Debian's <c>python3-torch</c>, or the interpreter that <c>DINO_PYTHON</c> names.
/// </summary>
internal static class Torch
{
    private static readonly Lazy<string?> python = new(() =>
        new[] { Environment.GetEnvironmentVariable("DINO_PYTHON"), "/usr/bin/python3", "python3" }
            .FirstOrDefault(candidate => !string.IsNullOrEmpty(candidate) && Start(candidate, "-c", "import torch").Code == 0));

    /// <summary>Runs <c>vit_torch.py</c>, or another script beside it; without PyTorch the test ends as inconclusive.</summary>
    public static void Run(params string[] arguments) => RunScript("vit_torch.py", arguments);

    private static void RunScript(string script, params string[] arguments)
    {
        if (python.Value is null)
            Assert.Inconclusive("There is no PyTorch here: install python3-torch, or set DINO_PYTHON.");
        var (code, error) = Start(python.Value!, [Path.Combine(AppContext.BaseDirectory, script), .. arguments]);
        Assert.That(code, Is.Zero, error);
    }

    public static string Sizes(ViTConfig config) => $"{config.Dim},{config.Depth},{config.Heads},{config.Patch},{config.Side}";

    /// <summary>The features (B, D) of pictures (B, 3, height, width), each by the weights of a file.</summary>
    public static float[][] Features(string weights, ViTConfig config,
        params (float[] Images, int Batch, int Height, int Width)[] pictures) =>
        Features("vit_torch.py", weights, Sizes(config), pictures);

    /// <summary>Random weights of a network of DINOv2 or DINOv3.</summary>
    public static void MakeLater(string weights, ViTConfig config) => RunScript("later_torch.py", "make", weights, LaterSizes(config));

    /// <summary>The features by a network of DINOv2 or DINOv3.</summary>
    public static float[][] LaterFeatures(string weights, ViTConfig config,
        params (float[] Images, int Batch, int Height, int Width)[] pictures) =>
        Features("later_torch.py", weights, LaterSizes(config), pictures);

    private static string LaterSizes(ViTConfig config) =>
        $"{(config.Rotary ? 3 : 2)},{config.Dim},{config.Depth},{config.Heads},{config.Patch},{config.Side},"
            + $"{config.Registers},{(config.SwiGlu ? config.Hidden : 0)}";

    private static float[][] Features(string script, string weights, string sizes,
        (float[] Images, int Batch, int Height, int Width)[] pictures)
    {
        string folder = Path.GetDirectoryName(weights)!;
        string[] paths = [.. pictures.Select((picture, i) =>
            Path.Combine(folder, $"images{i}.{picture.Batch}x{picture.Height}x{picture.Width}"))];
        for (int i = 0; i < paths.Length; i++)
            File.WriteAllBytes(paths[i], MemoryMarshal.AsBytes(pictures[i].Images.AsSpan()));
        RunScript(script, ["features", weights, sizes, .. paths]);
        return [.. paths.Select(path => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path + ".features")).ToArray())];
    }

    private static (int Code, string Error) Start(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, error);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
