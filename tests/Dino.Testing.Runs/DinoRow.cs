using Dino.Train.Log;
using Dino.Train.Methods.Dino;

namespace Dino.Testing.Runs;

/// <summary>Rows of DINO's measures with numbers of one's own.</summary>
public static class DinoRow
{
    public static IReadOnlyList<Measure> Measures { get; } = DinoMeasures.Of(TinyRun.Options, _ => default);

    public static StepRow Of(
        long step, double loss, double entropy, double lnK = 6.9, int epoch = 0, double centreNorm = 0.5, double gradientNorm = 0.75,
        double learningRate = 5e-4, double imagesPerSecond = 40) =>
        new(
            step, epoch, Measures,
            loss, entropy, loss - entropy, lnK, lnK - loss, centreNorm, gradientNorm, learningRate, 0.04, 0.996, 0.04)
        {
            ImagesPerSecond = imagesPerSecond,
        };

    public static EpochRow Epoch(int epoch, long steps, double loss, double entropy, double? knnTop1 = null) =>
        new(epoch, steps, [(Measures[0], loss), (Measures[1], entropy)], 12.5, 40, knnTop1);
}
