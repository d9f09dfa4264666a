using Dino.Model;
using Dino.Tensors;

namespace Dino.Train;

/// <summary>How much device memory a training run takes, from its sizes alone.</summary>
public static class MemoryEstimate
{
    /// <summary>Bytes at the height of a step: parameters with gradients and moments, crops, and what the backward pass needs.</summary>
    public static long Bytes(TrainOptions options)
    {
        var (vit, head, crops) = (options.Backbone, options.Head, options.Crops);
        // Counted with a grid of one patch: that of absurdly large crops has no shape.
        double parameters = (double)vit.Side * vit.Side * vit.Dim
            + new MultiCropModel(vit with { ImageSize = vit.Patch }, head).Parameters.Sum(parameter => (double)parameter.Shape.Count);
        double TokensOf(int size) => 1 + Math.Floor((double)size / vit.Patch) * Math.Floor((double)size / vit.Patch);
        double globals = 2.0 * options.BatchSize, locals = (double)crops.LocalCropsNumber * options.BatchSize;
        double tokens = globals * TokensOf(crops.GlobalCropsSize) + locals * TokensOf(crops.LocalCropsSize);
        double pixels = 3 * (globals * crops.GlobalCropsSize * crops.GlobalCropsSize + locals * crops.LocalCropsSize * crops.LocalCropsSize);
        // A block keeps its input, qkv, the attention's result, the sum, and the MLP's hidden layer before GELU. While its backward pass runs
        // there are besides the hidden layer after GELU, its gradient, and those of input and sum.
        double block = vit.Dim * (6 + vit.MlpRatio), atWork = vit.Dim * (4 + 2 * vit.MlpRatio);
        double kept = options.Recompute ? vit.Depth * vit.Dim + block : vit.Depth * block;
        double logits = 3.0 * (globals + locals) * head.OutDim + 2.0 * (globals + locals) * head.Layers * head.HiddenDim;
        double floats = 5 * parameters + pixels + tokens * (kept + atWork) + logits;
        return (long)Math.Min(long.MaxValue / 2, 4 * floats);
    }

    /// <summary>Refuses a run that cannot fit, before anything is allocated.</summary>
    /// <exception cref="UserErrorException">The message names both sizes and the options that lower the need.</exception>
    public static void Check(TrainOptions options, Device device)
    {
        long bytes = Bytes(options);
        if (bytes <= device.MemoryBytes)
            return;
        throw new UserErrorException(
            $"This run needs about {bytes / (double)(1 << 30):F1} GiB and {device.Name} has {device.MemoryBytes / (double)(1 << 30):F1} GiB: "
            + "a smaller --batch-size, --global-crops-size or --out-dim needs less (--accumulate makes up for a small batch).");
    }
}
