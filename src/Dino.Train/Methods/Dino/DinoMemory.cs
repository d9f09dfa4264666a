using Dino.Model;

namespace Dino.Train.Methods.Dino;

/// <summary>The memory of a run of DINO, counted from its sizes.</summary>
internal static class DinoMemory
{
    /// <summary>The estimate for a run.</summary>
    public static MemoryEstimate Of(DinoOptions options)
    {
        var (vit, head, crops) = (options.ViT, options.Head, options.Crops);
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
        // Student and teacher, gradients and the optimizer's two moments.
        var estimate = new MemoryEstimate(
            MemoryEstimate.Bytes(5 * parameters), MemoryEstimate.Bytes(pixels), MemoryEstimate.Bytes(tokens * kept),
            MemoryEstimate.Bytes(tokens * atWork), MemoryEstimate.Bytes(logits), "");
        return estimate with { Advice = Advice(options, estimate) };
    }

    private static string Advice(DinoOptions options, MemoryEstimate estimate)
    {
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
}
