using Dino.Tensors.Io;
using Dino.Tensors.Nn;

namespace Dino.Train.Evaluation.LinearProbe;

/// <summary>Files of a linear classifier: the official ones (<c>.pth.tar</c>), and those that <c>dino eval linear</c> writes.</summary>
internal static class LinearClassifierFile
{
    private const string Weight = "linear.weight", Bias = "linear.bias";

    private static readonly string[] prefixes = ["state_dict.module.", "state_dict.", "module.", ""];

    /// <summary>The classifier's <c>linear.weight</c> (C, D) and <c>linear.bias</c> (C).</summary>
    /// <exception cref="EvaluationException">The file is missing, is refused, or holds no such tensors.</exception>
    public static IReadOnlyList<HostTensor> Read(string path)
    {
        try
        {
            using var file = WeightsFile.Open(Resolve(path));
            string prefix = prefixes.FirstOrDefault(prefix => file.Contains(prefix + Weight))
                ?? throw new EvaluationException($"{path} holds no linear classifier: it has no tensor {Weight}.");
            return [HostTensor.Read(file, prefix + Weight, prefix), HostTensor.Read(file, prefix + Bias, prefix)];
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EvaluationException($"{path} cannot be read as a linear classifier: {e.Message}", e);
        }
    }

    // A folder stands for what dino eval linear writes into it.
    private static string Resolve(string path)
    {
        const string name = "linear.safetensors";
        if (!Directory.Exists(path))
            return path;
        return File.Exists(Path.Combine(path, name)) ? Path.Combine(path, name)
            : throw new EvaluationException($"{path} is a folder without {name}: name the file of the classifier.");
    }

    /// <summary>Writes a classifier as safetensors.</summary>
    public static void Write(string path, IReadOnlyList<HostTensor> classifier) =>
        SafetensorsFile.Write(path, [.. classifier.Select(tensor => tensor.ToEntry())]);
}
