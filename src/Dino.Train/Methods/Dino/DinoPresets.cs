using System.Globalization;
using System.Numerics;
using Dino.Model;
using Dino.Pictures.Transforms;

namespace Dino.Train.Methods.Dino;

/// <summary>Hyperparameters of DINO to start from, and those that follow from the pictures at hand.</summary>
public static class DinoPresets
{
    /// <summary>The names of all presets.</summary>
    public static IReadOnlyList<string> Names { get; } = ["paper", "small", "adapt"];

    /// <summary>
    /// <c>paper</c>: ViT-S/16 as in section 3.2 of the paper, with the reference's defaults for the rest. <c>small</c>: a ViT of 1.9
    /// million parameters on small crops, for a laptop or a small data set, with batch normalisation in the head, which helps so small a
    /// network leave the uniform answer (docs/design/0006-leaving-the-uniform-answer.md).
    /// <c>adapt</c>: a trained network on other pictures: a tenth of the rate, a short warm-up, a slow teacher, and a centre that starts at
    /// the mean of the teacher's logits.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static DinoOptions Named(string name) => name switch
    {
        "paper" => new DinoOptions { TeacherTemp = 0.07, WarmupTeacherTempEpochs = 30 },
        "small" => new DinoOptions
        {
            Backbone = new ViTConfig { ImageSize = 48, Patch = 8, Dim = 192, Depth = 4, Heads = 3, DropPathRate = 0.05f },
            Head = new DinoHeadConfig { OutDim = 1024, HiddenDim = 512, BottleneckDim = 256, UseBatchNorm = true },
            Crops = new MultiCropOptions { GlobalCropsSize = 48, LocalCropsSize = 24, LocalCropsNumber = 4 },
            Lr = 0.002,
            MinLr = 1e-5,
            WeightDecayEnd = 0.1,
            WarmupEpochs = 3,
            Epochs = 30,
        },
        "adapt" => new DinoOptions { Lr = 0.00005, WarmupEpochs = 2, Epochs = 20, WeightDecayEnd = 0.1, CenterWarmup = 16 },
        _ => throw new ArgumentException($"'{name}' is not a preset; there are {string.Join(", ", Names)}.", nameof(name)),
    };

    /// <summary>
    /// The properties that follow from the number of pictures where they are not given (<see cref="FitTo"/>), and whether those of a preset
    /// do. The paper's are the paper's.
    /// </summary>
    public static IReadOnlyList<string> FittedProperties { get; } =
        ["Head.OutDim", "TeacherTemp", "WarmupTeacherTempEpochs", "MomentumTeacher"];

    /// <summary>Whether a preset, or null for none, is fitted to the pictures.</summary>
    public static bool IsFitted(string? name) => name != "paper";

    /// <summary>
    /// K, teacher temperature and teacher momentum for so many pictures. The reference's values suit a million pictures and a hundred
    /// thousand steps; with few prototypes' worth of pictures, or a run shorter than the teacher's memory, they do not.
    /// </summary>
    /// <returns>The options and, for each choice, a line that says why; it names the property in backticks.</returns>
    public static (DinoOptions Options, IReadOnlyList<string> Reasons) FitTo(
        DinoOptions options, int pictures, bool chooseOutDim, bool chooseTemperature, bool chooseMomentum)
    {
        var reasons = new List<string>();
        string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

        if (chooseOutDim)
        {
            int k = (int)Math.Clamp(BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, pictures / 8)), 256, 65536);
            options = options with { Head = options.Head with { OutDim = k } };
            reasons.Add(Format($"`Head.OutDim` {k}: about one prototype for eight of the {pictures} pictures (256 to 65536)"));
        }
        if (chooseTemperature)
        {
            bool large = pictures >= 100_000 && options.Epochs >= 60;
            options = large
                ? options with { WarmupTeacherTemp = 0.04, TeacherTemp = 0.07, WarmupTeacherTempEpochs = 30 }
                : options with { WarmupTeacherTemp = 0.04, TeacherTemp = 0.04, WarmupTeacherTempEpochs = 0 };
            reasons.Add(large
                ? "`TeacherTemp` 0.07 after 30 epochs from 0.04: the paper's choice for long runs on many pictures"
                : "`TeacherTemp` 0.04: softer teachers need long runs on many pictures");
        }
        if (chooseMomentum)
        {
            long steps = (long)options.Epochs * Math.Max(1, pictures / Math.Max(1, options.PicturesPerStep));
            double memory = Math.Clamp(steps / 20.0, 20, 250);
            double momentum = Math.Round(1 - 1 / memory, 4);
            options = options with { MomentumTeacher = momentum };
            reasons.Add(Format(
                $"`MomentumTeacher` {momentum}: the teacher remembers {memory:F0} of the run's {steps} steps at its start ")
                + "(0.996 remembers 250)");
        }
        return (options, reasons);
    }
}
