using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>
/// PyTorch in another process, where this machine has it: Debian's <c>python3-torch</c>, or the interpreter that <c>DINO_PYTHON</c> names.
/// </summary>
internal static class Torch
{
    private static readonly ConcurrentDictionary<string, Lazy<TorchProcess?>> processes = new();

    /// <summary>Has <c>vit_torch.py</c> do it, or another script beside it; without PyTorch the test ends as inconclusive.</summary>
    public static void Run(params string[] words) => RunScript("vit_torch.py", words);

    private static void RunScript(string script, params string[] words)
    {
        var process = processes.GetOrAdd(script, static name => new(() => Candidates
            .Select(python => TorchProcess.Start(python, Path.Combine(AppContext.BaseDirectory, name)))
            .FirstOrDefault(process => process is not null))).Value;
        if (process is null)
            Assert.Inconclusive("There is no PyTorch here: install python3-torch, or set DINO_PYTHON.");
        process!.Run(words);
    }

    private static IEnumerable<string> Candidates =>
        new[] { Environment.GetEnvironmentVariable("DINO_PYTHON"), "/usr/bin/python3", "python3" }
            .OfType<string>().Where(name => name != "");

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
}
