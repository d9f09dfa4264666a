using Dino.Model;

namespace Dino.Benchmarks;

/// <summary>
/// The floating-point operations that a model asks for, whatever a program does of them: a multiply-add is two, attention is counted in
/// full, and what is no matrix product (norms, GELU, softmax, the update) is not counted.
/// </summary>
internal static class ModelFlops
{
    /// <summary>Tokens of a square picture, the class token among them.</summary>
    public static int Tokens(int patch, int size) => 1 + size / patch * (size / patch);

    /// <summary>One picture forward through the backbone.</summary>
    public static double Backbone(ViTConfig vit, int size)
    {
        double n = Tokens(vit.Patch, size), d = vit.Dim;
        double patches = 2 * (n - 1) * vit.Channels * vit.Patch * vit.Patch * d;
        double linears = 2 * n * d * d * (3 + 1 + 2 * vit.MlpRatio); // qkv, projection, the two of the feed-forward part
        double attention = 2 * 2 * n * n * d; // queries by keys, weights by values
        return patches + vit.Depth * (linears + attention);
    }

    /// <summary>One row forward through the head.</summary>
    public static double Head(int inputs, DinoHeadConfig head)
    {
        double products = (double)head.BottleneckDim * head.OutDim;
        for (int i = 0; i < head.Layers; i++)
            products += (i == 0 ? inputs : head.HiddenDim) * (double)(i == head.Layers - 1 ? head.BottleneckDim : head.HiddenDim);
        return 2 * products;
    }

    /// <summary>A training step: the teacher forward, the student forward and twice as much again backward.</summary>
    public static double Step(StepSettings step)
    {
        double head = Head(step.Backbone.Dim, step.Head);
        double global = 2 * step.Batch * (Backbone(step.Backbone, StepSettings.GlobalSize) + head);
        double local = step.LocalCrops * step.Batch * (Backbone(step.Backbone, StepSettings.LocalSize) + head);
        return global + 3 * (global + local);
    }
}
