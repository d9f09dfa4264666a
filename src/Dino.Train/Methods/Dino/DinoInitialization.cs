using Dino.Model;
using Dino.Model.Weights;
using Dino.Pictures.Loading;
using Dino.Train.Runs;

namespace Dino.Train.Methods.Dino;

/// <summary>How a run of DINO begins with the weights of a file: its network, its head if it has one, its centre.</summary>
public static class DinoInitialization
{
    /// <summary>
    /// Hyperparameters for this file: its network, its head if it has one, crops of the size and preprocessing that it was trained on; the
    /// rest as given.
    /// </summary>
    /// <param name="init">The file.</param>
    /// <param name="options">The hyperparameters to start from.</param>
    /// <param name="heads">Attention heads, where the file does not tell them.</param>
    /// <exception cref="WeightsException">The file's shapes are not those of such a network.</exception>
    public static DinoOptions Adapt(this Initialization init, DinoOptions options, int? heads) => WeightsException.Explain(init.Path, () =>
    {
        var (stored, run) = StoredRun.Of(init.File, init.Teacher, heads);
        var own = run is not null && run.IsOf(options) ? run.OptionsAs<DinoOptions>() : null;
        init.Warning = stored.Warning;
        var backbone = (ViTConfig)stored.Backbone;
        if (backbone.Rotary)
        {
            throw new RunException(
                $"{init.Path} is {backbone.Describe()}: it can be used for features, "
                + "but training goes on from networks of DINO and DINOv2 alone.");
        }
        int size = own?.Crops.GlobalCropsSize ?? backbone.EvaluationSize, patch = backbone.Patch;
        var crops = own?.Crops ?? options.Crops;
        if (own is null && (size != crops.GlobalCropsSize || crops.LocalCropsSize % patch != 0))
        {
            double share = crops.LocalCropsSize / (double)crops.GlobalCropsSize;
            crops = crops with { GlobalCropsSize = size, LocalCropsSize = Math.Max(1, (int)Math.Round(size * share / patch)) * patch };
        }
        var head = init.HasHead ? stored.Head()! : options.Head;
        if (init.HasHead && own is null)
            head = head with { NormLastLayer = options.Head.NormLastLayer };
        // How the files are read is for the new run to say.
        var kept = stored.Preprocessing with { Decode = default };
        return options with
        {
            Backbone = backbone with { DropPathRate = options.ViT.DropPathRate },
            Crops = crops,
            Head = head,
            Preprocessing = kept == new Preprocessing() ? null : kept,
        };
    });

    /// <summary>Sets student, teacher and centre of a run that has not begun. What the file has not keeps its first values.</summary>
    /// <param name="init">The file.</param>
    /// <param name="state">The run.</param>
    /// <param name="allowPartial">Whether tensors may be missing, unexpected or misshapen; otherwise all are named and nothing is
    /// changed.</param>
    /// <returns>What was set from what.</returns>
    /// <exception cref="WeightsException">The file does not fit the run.</exception>
    internal static DinoInitializationNote Apply(Initialization init, DinoMethod state, bool allowPartial) =>
        WeightsException.Explain(init.Path, () => Set(init, state, allowPartial));

    private static DinoInitializationNote Set(Initialization init, DinoMethod state, bool allowPartial)
    {
        var networks = ((MultiCropModel Model, ModelWeights Weights)[])[(state.Student, init.Student), (state.Teacher, init.Teacher)];
        foreach (var (model, weights) in networks)
            weights.Compare(init.HasHead ? model : model.Backbone).ThrowIfNot(allowPartial);
        WeightReport[] reports =
        [
            .. networks.Select(network => network.Weights.Load(init.HasHead ? network.Model : network.Model.Backbone, allowPartial)),
        ];
        var (teacher, student) = (init.Teacher, init.Student);
        bool centre = init is { HasHead: true, HasCentre: true };
        if (centre && init.File.Shape(teacher.Centre!).Aggregate(1L, (product, size) => product * size) != state.Loss.Centre.Count)
        {
            if (!allowPartial)
            {
                throw new InvalidDataException(
                    $"{init.Path}: the centre {teacher.Centre} has not the {state.Loss.Centre.Count} values of the head. "
                    + "Give `AllowPartial` to start it anew.");
            }
            centre = false;
        }
        if (centre)
            state.Loss.Centre.CopyFrom(init.File.Floats(teacher.Centre!));
        return new DinoInitializationNote
        {
            File = Path.GetFullPath(init.Path),
            Sha256 = init.Identity(allowPartial).Sha256,
            Format = init.File.Format,
            Layout = teacher.Layout,
            Student = From(student),
            Teacher = From(teacher),
            Head = init.HasHead ? "the file" : "first values of the seed",
            Centre = centre ? $"{teacher.Centre} of the file" : "0",
            Resized = reports[1].Resized,
            Missing = reports[1].Missing,
            Misshapen = reports[1].Misshapen,
            NotUsed =
            [
                .. reports[1].Unexpected,
                .. teacher.Aside.Except(student.Backbone.Values.Concat(student.Head.Values).SelectMany(source => source.Names)),
            ],
            Loaded = reports[1].Loaded.Count,
            HasCentre = centre,
        };
    }

    private static string From(ModelWeights weights) => weights.Role switch
    {
        NetworkRole.Teacher => "teacher of the file",
        NetworkRole.Student => "student of the file",
        _ => weights.Key.Length == 0 ? "the file" : $"{weights.Key} of the file",
    };
}
