using System.CommandLine;
using Dino.Tensors;

namespace Dino.Benchmarks.Commands;

/// <summary>Options that several commands have, and those of the steps.</summary>
internal static class SharedOptions
{
    public static readonly Option<string> Arch = Text("--arch", "vit_tiny", "vit_tiny, vit_small or vit_base.");
    public static readonly Option<int> Patch = Number("--patch", 16, "Pixels along the side of a patch.");
    public static readonly Option<int> Batch = Number("--batch", 8, "Pictures of a batch.");
    public static readonly Option<int> OutDim = Number("--out-dim", 65536, "Prototypes, K.");
    public static readonly Option<int> LocalCrops = Number("--local-crops", 8, "Local crops of a picture.", least: 0);
    public static readonly Option<int> Size = Number("--size", 224, "Pixels along the side of a picture.");
    public static readonly Option<int> Iters = Number("--iters", 5, "Measured steps or batches.");
    public static readonly Option<int> Warmup = Number("--warmup", 2, "Steps or batches before them.", least: 0);
    public static readonly Option<int> Threads = Number("--threads", 2, "Threads of either program.");
    public static readonly Option<string> DeviceName = Text("--device", "cpu", "Where to compute.");
    public static readonly Option<string> Only = Text("--only", "", "Only operators whose name holds this.");
    public static readonly Option<bool> Recompute = new("--recompute") { Description = "Compute blocks again in our backward pass." };
    public static readonly Option<bool> Whole =
        new("--whole") { Description = "Time four steps together, without a wait in between; no phases." };
    public static readonly Option<Precision> Precision =
        new("--precision") { Description = "fp32, tf32 or bf16: our products and attention." };
    public static readonly Option<Blas> Blas = new("--blas") { Description = "own or vendor: whose products ours are." };
    public static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON." };
    public static readonly Option<string> Data = new("--data") { Description = "The folder of pictures.", Required = true };

    /// <summary>Everything that <see cref="StepSettings"/> is made of.</summary>
    public static Option[] OfSteps => [Arch, Patch, Batch, OutDim, LocalCrops, Iters, Warmup, Threads, Recompute];

    /// <summary>Everything that <see cref="InferSettings"/> is made of.</summary>
    public static Option[] OfInference => [Arch, Patch, Size, Batch, Iters, Warmup, Threads];

    public static StepSettings StepSettings(ParseResult parsed) => new(
        parsed.GetValue(Arch)!, parsed.GetValue(Patch), parsed.GetValue(Batch), parsed.GetValue(OutDim), parsed.GetValue(LocalCrops),
        parsed.GetValue(Iters), parsed.GetValue(Warmup), parsed.GetValue(Threads))
    {
        Recompute = parsed.GetValue(Recompute),
        Whole = parsed.GetValue(Whole),
        Precision = parsed.GetValue(Precision),
        Blas = parsed.GetValue(Blas),
    };

    public static InferSettings InferSettings(ParseResult parsed) => new(
        parsed.GetValue(Arch)!, parsed.GetValue(Patch), parsed.GetValue(Size), parsed.GetValue(Batch), parsed.GetValue(Iters),
        parsed.GetValue(Warmup), parsed.GetValue(Threads));

    public static Option<int> Number(string name, int value, string description, int least = 1)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < least)
                result.AddError($"{name} must not be {result.GetValueOrDefault<int>()}.");
        });
        return option;
    }

    public static Option<double> Seconds(double value, string description) =>
        new("--seconds") { Description = description, DefaultValueFactory = _ => value };

    public static Option<string> Text(string name, string value, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };
}
