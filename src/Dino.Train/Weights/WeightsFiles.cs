using Dino.Model;
using Dino.Tensors.Io;

namespace Dino.Train.Weights;

/// <summary>Opens weights files for a person: whatever is wrong becomes an error that says what to do.</summary>
internal static class WeightsFiles
{
    /// <summary>Opens a file, or the one that a folder stands for.</summary>
    /// <exception cref="UserErrorException">The file is missing, or not one that is read.</exception>
    public static WeightsFile Open(string path)
    {
        path = CheckpointPath.Resolve(path);
        try
        {
            return WeightsFile.Open(path);
        }
        catch (InvalidDataException e)
        {
            string reason = e.Message.StartsWith(path + ": ", StringComparison.Ordinal) ? e.Message[(path.Length + 2)..] : e.Message;
            throw new UserErrorException($"{path} cannot be read as a checkpoint: {reason}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserErrorException($"There is no checkpoint {path}.", e);
        }
    }

    /// <summary>Runs what builds a network of a file; the file's faults and impossible sizes become errors for the user.</summary>
    public static T Explain<T>(string path, Func<T> build)
    {
        try
        {
            return build();
        }
        catch (HeadsContradictedException e)
        {
            throw new UserErrorException(e.Message, e) { IsUsage = true };
        }
        catch (InvalidDataException e)
        {
            throw new UserErrorException(e.Message, e);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new UserErrorException($"{path} does not hold a network that can be built: {e.Message}", e);
        }
    }
}
