using Dino.Model;

namespace Dino.Train.Methods.Dino;

/// <summary>The memory of a run of DINO, counted from its sizes.</summary>
internal static class DinoMemory
{
    /// <summary>The estimate for a run.</summary>
    public static MemoryEstimate Of(DinoOptions options)
    {
        var (backbone, head, crops) = (options.Backbone, options.Head, options.Crops);
        double parameters = backbone.ParameterCount()
            + new DinoHead(backbone.Width, head).Parameters.Sum(parameter => (double)parameter.Shape.Count);
        double globals = 2.0 * options.BatchSize, locals = (double)crops.LocalCropsNumber * options.BatchSize;
        double pixels = backbone.InputChannels
            * (globals * crops.GlobalCropsSize * crops.GlobalCropsSize + locals * crops.LocalCropsSize * crops.LocalCropsSize);
        var (globalKept, globalAtWork) = backbone.TrainingFloats(crops.GlobalCropsSize, options.Recompute);
        var (localKept, localAtWork) = backbone.TrainingFloats(crops.LocalCropsSize, options.Recompute);
        double logits = 3.0 * (globals + locals) * head.OutDim + 2.0 * (globals + locals) * head.Layers * head.HiddenDim;
        // Student and teacher, gradients and the optimizer's two moments.
        var estimate = new MemoryEstimate(
            MemoryEstimate.Bytes(5 * parameters), MemoryEstimate.Bytes(pixels),
            MemoryEstimate.Bytes(globals * globalKept + locals * localKept),
            MemoryEstimate.Bytes(globals * globalAtWork + locals * localAtWork), MemoryEstimate.Bytes(logits), "");
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
