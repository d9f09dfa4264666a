using Dino.Model;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Train.Options;

namespace Dino.Train.Methods.Dino;

/// <summary>The hyperparameters of DINO, with what each may be and what is strange.</summary>
public static class DinoHyperparameters
{
    private static readonly Limits crop = new(1, Math.Floor(Math.Sqrt(RgbImage.MaxPixels))), scale = new(0, 1) { IsAbove = true };
    private static readonly Limits temperature = new(0) { IsAbove = true, StrangeOver = 1, Usual = "the paper's are 0.04 to 0.1" };

    /// <summary>All that a run of DINO has, the common ones among them, in the order of a help.</summary>
    public static IReadOnlyList<Hyperparameter> All { get; } =
    [
        .. RunHyperparameters.Network,
        OfHead("OutDim", "K, the number of prototypes.", h => h.OutDim, (h, v) => h with { OutDim = v }, new(2)),
        OfHead("NormLastLayer", "Keep the prototypes' lengths at 1.", h => h.NormLastLayer, (h, v) => h with { NormLastLayer = v }),
        OfHead("UseBatchNorm", "Batch normalisation in the head.", h => h.UseBatchNorm, (h, v) => h with { UseBatchNorm = v }),
        OfHead("Layers", "Layers of the head's MLP.", h => h.Layers, (h, v) => h with { Layers = v }, Limits.Count),
        OfHead("HiddenDim", "Width of the head's hidden layers.", h => h.HiddenDim, (h, v) => h with { HiddenDim = v }, Limits.Count),
        OfHead(
            "BottleneckDim", "Width of what the head normalises.", h => h.BottleneckDim, (h, v) => h with { BottleneckDim = v },
            Limits.Count),
        Of(
            "MomentumTeacher", "The teacher's average at the start; rises to 1.", o => o.MomentumTeacher,
            (o, v) => o with { MomentumTeacher = v },
            Limits.Share with { StrangeUnder = 0.5, Usual = "the paper's is 0.996" }),
        Of(
            "WarmupTeacherTemp", "Teacher temperature at the start.", o => o.WarmupTeacherTemp, (o, v) => o with { WarmupTeacherTemp = v },
            temperature),
        Of(
            "TeacherTemp", "Teacher temperature after its warm-up; above 0.07 is unstable.", o => o.TeacherTemp,
            (o, v) => o with { TeacherTemp = v }, temperature),
        Of(
            "WarmupTeacherTempEpochs", "Epochs of that warm-up.", o => o.WarmupTeacherTempEpochs,
            (o, v) => o with { WarmupTeacherTempEpochs = v }, Limits.NotNegative),
        Of("StudentTemp", "Student temperature.", o => o.StudentTemp, (o, v) => o with { StudentTemp = v }, temperature),
        Of(
            "CenterMomentum", "How slowly the centre follows.", o => o.CenterMomentum, (o, v) => o with { CenterMomentum = v },
            Limits.Share),
        Of(
            "CenterWarmup", "Batches whose teacher logits make the first centre; 0 starts it at 0.", o => o.CenterWarmup,
            (o, v) => o with { CenterWarmup = v }, Limits.NotNegative),
        .. RunHyperparameters.Rates,
        Of(
            "FreezeLastLayer", "Epochs in which the last layer is not trained.", o => o.FreezeLastLayer,
            (o, v) => o with { FreezeLastLayer = v }, Limits.NotNegative),
        .. RunHyperparameters.Batches,
        OfCrops(
            "GlobalCropsSize", "Pixels along the side of a global crop.", c => c.GlobalCropsSize,
            (c, v) => c with { GlobalCropsSize = v }, crop),
        OfCrops(
            "GlobalCropsScale", "Smallest and largest share of a picture in a global crop.", c => c.GlobalCropsScale,
            (c, v) => c with { GlobalCropsScale = v }, scale),
        OfCrops(
            "LocalCropsNumber", "Local crops a picture; 0 for none.", c => c.LocalCropsNumber, (c, v) => c with { LocalCropsNumber = v },
            new(0, 1000)),
        OfCrops(
            "LocalCropsSize", "Pixels along the side of a local crop.", c => c.LocalCropsSize,
            (c, v) => c with { LocalCropsSize = v }, crop),
        OfCrops(
            "LocalCropsScale", "Smallest and largest share of a picture in a local crop.", c => c.LocalCropsScale,
            (c, v) => c with { LocalCropsScale = v }, scale),
        .. DinoViewHyperparameters.All,
        RunHyperparameters.Seed,
    ];

    private static Hyperparameter<DinoOptions, T> Of<T>(
        string property, string description, Func<DinoOptions, T> get, Func<DinoOptions, T, DinoOptions> set, Limits? limits = null) =>
        new(property, description, get, set) { Limits = limits };

    private static Hyperparameter<DinoOptions, T> OfHead<T>(
        string property, string description, Func<DinoHeadConfig, T> get, Func<DinoHeadConfig, T, DinoHeadConfig> set,
        Limits? limits = null) =>
        Of("Head." + property, description, o => get(o.Head), (o, v) => o with { Head = set(o.Head, v) }, limits);

    private static Hyperparameter<DinoOptions, T> OfCrops<T>(
        string property, string description, Func<MultiCropOptions, T> get, Func<MultiCropOptions, T, MultiCropOptions> set,
        Limits? limits = null) =>
        Of("Crops." + property, description, o => get(o.Crops), (o, v) => o with { Crops = set(o.Crops, v) }, limits);
}
