using Dino.Tensors.Io;

namespace Dino.Model.Weights;

/// <summary>
/// The weights file that a path means. A folder stands for the one in it: of a run its last checkpoint, of Hugging Face or the official
/// code the one
/// of the name that they give it.
/// </summary>
public static class CheckpointPath
{
    private static readonly string[] names = ["latest.safetensors", "model.safetensors", "pytorch_model.bin", "checkpoint.pth"];
    private static readonly string[] endings = [".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar"];

    /// <summary>The file; a path that is no folder is given back as it is.</summary>
    /// <exception cref="WeightsException">The folder has no such file, or one in parts; the message says what is in it.</exception>
    public static string Resolve(string path)
    {
        if (!Directory.Exists(path))
            return path;
        string[] there;
        try
        {
            there = [.. Directory.EnumerateFileSystemEntries(path).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WeightsException(WeightsFault.Missing, $"{path} is a folder that cannot be listed: {e.Message}", e);
        }
        if (names.FirstOrDefault(there.Contains) is { } name)
            return Path.Combine(path, name);
        if (there.FirstOrDefault(entry => entry.EndsWith(".index.json", StringComparison.Ordinal)) is { } index)
        {
            throw new WeightsException(WeightsFault.Missing, $"{path} holds a checkpoint in parts ({index}): join them first, in Python by "
                + "AutoModel.from_pretrained(folder).save_pretrained(other, max_shard_size=\"100GB\").");
        }
        string[] weights = [.. there.Where(entry => endings.Contains(Path.GetExtension(entry)))];
        string[] shown = weights.Length > 0 ? weights : there;
        throw new WeightsException(WeightsFault.Missing,
            $"{path} is a folder without {string.Join(", ", names.SkipLast(1))} or {names[^1]}: "
            + (shown.Length == 0 ? "it is empty."
                : $"in it {(shown.Length == 1 ? "is" : "are")} {string.Join(
                ", ", shown.Take(8))}{(shown.Length > 8 ? $" and {shown.Length - 8} more" : "")}. Name the file."));
    }

    /// <summary>Opens the file that a path means, whatever its format.</summary>
    /// <exception cref="WeightsException">It is missing, or not one that is read.</exception>
    public static WeightsFile Open(string path)
    {
        path = Resolve(path);
        try
        {
            return WeightsFile.Open(path);
        }
        catch (InvalidDataException e)
        {
            string reason = e.Message.StartsWith(path + ": ", StringComparison.Ordinal) ? e.Message[(path.Length + 2)..] : e.Message;
            throw new WeightsException($"{path} cannot be read as a checkpoint: {reason}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WeightsException(WeightsFault.Missing, $"There is no checkpoint {path}.", e);
        }
    }
}
