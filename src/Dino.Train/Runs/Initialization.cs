using Dino.Model.Weights;
using Dino.Pictures.DataSets;
using Dino.Tensors.Io;

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
        new(System.IO.Path.GetFullPath(path), sha256 ??= FileHash.Of(path, cancel), allowPartial);

    /// <summary>
    /// What was assumed of the file and may be wrong, for a person, once hyperparameters were fitted to it; null if nothing was.
    /// </summary>
    public string? Warning { get; internal set; }

    /// <summary>
    /// Opens the file and finds its networks: both of a training checkpoint, else one that student and teacher begin with.
    /// </summary>
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

    /// <summary>The file's path; of a folder, of the one in it.</summary>
    internal string Path => path;

    /// <summary>The file, open.</summary>
    internal WeightsFile File => file;

    /// <summary>The network that a teacher, or a single network, begins with.</summary>
    internal ModelWeights Teacher => teacher;

    /// <summary>The network that a student begins with; the same where the file has one alone.</summary>
    internal ModelWeights Student => student;

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
