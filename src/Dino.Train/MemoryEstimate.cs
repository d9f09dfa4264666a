using Dino.Model;
using Dino.Tensors;
using Dino.Train.Methods.Dino;

namespace Dino.Train;

/// <summary>How much device memory a training run takes at the height of a step, from its sizes alone; all in bytes.</summary>
/// <param name="Weights">Student and teacher, gradients and the optimizer's two moments.</param>
/// <param name="Crops">The pictures of a step.</param>
/// <param name="Kept">What the forward pass keeps for the backward pass.</param>
/// <param name="AtWork">What one block's backward pass needs besides.</param>
/// <param name="Logits">The head's layers and its outputs, with their gradients.</param>
public sealed record MemoryEstimate(long Weights, long Crops, long Kept, long AtWork, long Logits)
{
    /// <summary>All of it.</summary>
    public long Total => Math.Min(long.MaxValue / 2, Weights + Crops + Kept + AtWork + Logits);

    /// <summary>The estimate for a run.</summary>
    public static MemoryEstimate Of(DinoOptions options)
    {
        var (vit, head, crops) = (options.Backbone, options.Head, options.Crops);
        // Counted with a grid of one patch: that of absurdly large crops has no shape. And with one block: all have the same.
        double Count(int depth) => new MultiCropModel(vit with { ImageSize = vit.Patch, Depth = depth, DropPathRate = 0 }, head).Parameters.Sum(parameter => (double)parameter.Shape.Count);
        double parameters = (double)vit.Side * vit.Side * vit.Dim + Count(1) + (vit.Depth - 1) * (Count(2) - Count(1));
        double TokensOf(int size) => vit.FirstPatch + Math.Floor((double)size / vit.Patch) * Math.Floor((double)size / vit.Patch);
        double globals = 2.0 * options.BatchSize, locals = (double)crops.LocalCropsNumber * options.BatchSize;
        double tokens = globals * TokensOf(crops.GlobalCropsSize) + locals * TokensOf(crops.LocalCropsSize);
        double pixels = vit.Channels * (globals * crops.GlobalCropsSize * crops.GlobalCropsSize + locals * crops.LocalCropsSize * crops.LocalCropsSize);
        // A block keeps its input, qkv, the attention's result, the sum, and the MLP's hidden layer before GELU. While its backward pass runs
        // there are besides the hidden layer after GELU, its gradient, and those of input and sum.
        // LayerScale keeps both branches before their γ, SwiGLU two hidden layers before the gate and one after.
        double hidden = vit.SwiGlu ? 3 * vit.MlpRatio : vit.MlpRatio;
        double block = vit.Dim * (6 + hidden + (vit.LayerScale ? 2 : 0)), atWork = vit.Dim * (4 + 2 * hidden + (vit.LayerScale ? 2 : 0));
        double kept = options.Recompute ? vit.Depth * vit.Dim + block : vit.Depth * block;
        double logits = 3.0 * (globals + locals) * head.OutDim + 2.0 * (globals + locals) * head.Layers * head.HiddenDim;
        return new(Bytes(5 * parameters), Bytes(pixels), Bytes(tokens * kept), Bytes(tokens * atWork), Bytes(logits));
    }

    /// <summary>Refuses a run that cannot fit, before anything is allocated.</summary>
    /// <exception cref="UserErrorException">The message names both sizes and the properties that lower the need.</exception>
    public static void Check(DinoOptions options, Device device)
    {
        long bytes = Of(options).Total;
        if (bytes <= device.MemoryBytes)
            return;
        throw new UserErrorException(
            FormattableString.Invariant($"This run needs about {bytes / (double)(1 << 30):F1} GiB and {device.Name} has {device.MemoryBytes / (double)(1 << 30):F1} GiB. ")
            + Advice(options));
    }

    /// <summary>A sentence that names the properties which lower the need, what counts most first.</summary>
    public static string Advice(DinoOptions options)
    {
        var estimate = Of(options);
        List<string> smaller = ["`BatchSize` (`Accumulate` makes up for it)"];
        if (estimate.Kept + estimate.AtWork + estimate.Crops >= estimate.Logits)
        {
            smaller.Add("`Crops.GlobalCropsSize`");
            if (options.Crops.LocalCropsNumber > 0)
                smaller.Add("`Crops.LocalCropsNumber`");
            smaller.Add("`Head.OutDim`");
        }
        else
        {
            smaller.Insert(0, "`Head.OutDim`");
            smaller.Add("`Crops.GlobalCropsSize`");
        }
        string less = $"smaller {string.Join(", ", smaller.SkipLast(1))} or {smaller[^1]} needs less.";
        return options.Recompute ? $"A {less}" : $"`Recompute` lowers it without changing the run; a {less}";
    }

    // Five such numbers do not overflow.
    private static long Bytes(double floats) => (long)Math.Min(long.MaxValue / 8, 4 * floats);
}
