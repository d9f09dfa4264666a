using Dino.Model;
using Dino.Model.Weights;
using Dino.Pictures.DataSets;
using Dino.Tensors.Io;
using Dino.Train.Methods.Dino;
using Dino.Train.Options;

namespace Dino.Train.Runs;

/// <summary>A weights file that a run begins with, instead of random values.</summary>
public sealed class Initialization : IDisposable
{
    private readonly WeightsFile file;
    private readonly ModelWeights teacher, student;
    private readonly string path;
    private string? sha256;

    private Initialization(string path, WeightsFile file, ModelWeights teacher, ModelWeights student) =>
        (this.path, this.file, this.teacher, this.student) = (path, file, teacher, student);

    /// <summary>Whether the file has a projection head.</summary>
    public bool HasHead => teacher.Head.Count > 0;

    /// <summary>Whether the file has a centre of the loss.</summary>
    public bool HasCentre => teacher.Centre is not null;

    /// <summary>What a run that begins with the file is compared by.</summary>
    /// <param name="allowPartial">Whether it is allowed to fit in part.</param>
    /// <param name="cancel">Stops between two pieces of the file.</param>
    public InitialWeights Identity(bool allowPartial, CancellationToken cancel = default) =>
        new(Path.GetFullPath(path), sha256 ??= FileHash.Of(path, cancel), allowPartial);

    /// <summary>What was assumed of the file and may be wrong, for a person, once <see cref="Adapt"/> was asked; null if nothing was.</summary>
    public string? Warning { get; private set; }

    /// <summary>Opens the file and finds its networks: both of a training checkpoint, else one that student and teacher begin with.</summary>
    /// <exception cref="WeightsException">There is none, or the file is refused.</exception>
    public static Initialization Open(string path)
    {
        var file = CheckpointPath.Open(path);
        path = file.Path; // of a folder, the one in it
        try
        {
            return WeightsException.Explain(path, () =>
            {
                var teacher = ModelWeights.Find(file);
                bool both = teacher.Role == NetworkRole.Teacher && teacher.Networks.Any(network => network.Role != NetworkRole.Teacher);
                return new Initialization(path, file, teacher, both ? ModelWeights.Find(file, ModelWeights.Student) : teacher);
            });
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Hyperparameters for this file: its network, its head if it has one, crops of the size that it was trained on; the rest as given.
    /// </summary>
    /// <param name="options">The hyperparameters to start from.</param>
    /// <param name="heads">Attention heads, where the file does not tell them.</param>
    /// <exception cref="WeightsException">The file's shapes are not those of such a network.</exception>
    public DinoOptions Adapt(DinoOptions options, int? heads) => WeightsException.Explain(path, () =>
    {
        var (stored, run) = StoredRun.Of(file, teacher, heads);
        var own = run?.OptionsAs<DinoOptions>();
        Warning = stored.Warning;
        var backbone = (ViTConfig)stored.Backbone;
        if (backbone.Rotary)
            throw new UserErrorException($"{path} is {backbone.Describe()}: it can be used for features, but training goes on from networks of DINO and DINOv2 alone.");
        int size = own?.Crops.GlobalCropsSize ?? backbone.EvaluationSize, patch = backbone.Patch;
        var crops = own?.Crops ?? (size == options.Crops.GlobalCropsSize && options.Crops.LocalCropsSize % patch == 0 ? options.Crops : options.Crops with
        {
            GlobalCropsSize = size,
            LocalCropsSize = Math.Max(1, (int)Math.Round(size * (options.Crops.LocalCropsSize / (double)options.Crops.GlobalCropsSize) / patch)) * patch,
        });
        var head = HasHead ? own is not null ? stored.Head()! : stored.Head()! with { NormLastLayer = options.Head.NormLastLayer } : options.Head;
        return options with { Backbone = backbone with { DropPathRate = options.Backbone.DropPathRate }, Crops = crops, Head = head };
    });

    /// <summary>Sets student, teacher and centre of a run that has not begun. What the file has not keeps its first values.</summary>
    /// <param name="state">The run.</param>
    /// <param name="allowPartial">Whether tensors may be missing, unexpected or misshapen; otherwise all are named and nothing is changed.</param>
    /// <returns>What was set from what.</returns>
    /// <exception cref="WeightsException">The file does not fit the run.</exception>
    public InitializationNote Apply(Distillation state, bool allowPartial) => WeightsException.Explain(path, () =>
    {
        var networks = ((MultiCropModel Model, ModelWeights Weights)[])[(state.Student, student), (state.Teacher, teacher)];
        foreach (var (model, weights) in networks)
            weights.Compare(HasHead ? model : model.Backbone).ThrowIfNot(allowPartial);
        var reports = networks.Select(network => network.Weights.Load(HasHead ? network.Model : network.Model.Backbone, allowPartial)).ToArray();
        bool centre = HasHead && HasCentre && file.Shape(teacher.Centre!).Aggregate(1L, (product, size) => product * size) == state.Loss.Centre.Count;
        if (centre)
            state.Loss.Centre.CopyFrom(file.Floats(teacher.Centre!));
        else if (HasHead && HasCentre && !allowPartial)
            throw new InvalidDataException($"{path}: the centre {teacher.Centre} has not the {state.Loss.Centre.Count} values of the head. Give `AllowPartial` to start it anew.");
        return new InitializationNote
        {
            File = Path.GetFullPath(path),
            Sha256 = Identity(allowPartial).Sha256,
            Format = file.Format,
            Layout = teacher.Layout,
            Student = From(student),
            Teacher = From(teacher),
            Head = HasHead ? "the file" : "first values of the seed",
            Centre = centre ? $"{teacher.Centre} of the file" : "0",
            Resized = reports[1].Resized,
            Missing = reports[1].Missing,
            Misshapen = reports[1].Misshapen,
            NotUsed = [.. reports[1].Unexpected, .. teacher.Aside.Except(student.Backbone.Values.Concat(student.Head.Values).SelectMany(source => source.Names))],
            Loaded = reports[1].Loaded.Count,
            HasCentre = centre,
        };
    });

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private static string From(ModelWeights weights) => weights.Role switch
    {
        NetworkRole.Teacher => "teacher of the file",
        NetworkRole.Student => "student of the file",
        _ => weights.Key.Length == 0 ? "the file" : $"{weights.Key} of the file",
    };
}
