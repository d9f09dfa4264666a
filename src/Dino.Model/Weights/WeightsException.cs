namespace Dino.Model.Weights;

/// <summary>What is wrong with a weights file, or with what was asked of it.</summary>
public enum WeightsFault
{
    /// <summary>There is no such file, or the folder holds none.</summary>
    Missing,

    /// <summary>It is no weights file, or a damaged one.</summary>
    Unreadable,

    /// <summary>It holds no network of a kind that is known, or not the one that was asked for.</summary>
    NoNetwork,

    /// <summary>It says of itself what its tensors are not, or something impossible.</summary>
    Contradiction,

    /// <summary>Nothing tells how many attention heads its network has: <see cref="BackboneChoice.Heads"/> can.</summary>
    HeadsUnknown,

    /// <summary>
    /// It has another number of attention heads than <see cref="BackboneChoice.Heads"/> says: that was wrong, not the file.
    /// </summary>
    HeadsContradicted,

    /// <summary>It fits in part: <see cref="BackboneChoice.AllowPartial"/> would use that.</summary>
    FitsInPart,

    /// <summary>It is of another kind of network, and nothing of it can be used.</summary>
    OtherNetwork,
}

/// <summary>
/// A weights file that cannot be used, or not as it was asked. The message says what is wrong, where, and what to do; properties of
/// <see cref="BackboneChoice"/> stand in backticks in it, <c>`Heads`</c>, so that a program can put its own names there.
/// </summary>
public sealed class WeightsException : Exception
{
    /// <summary>An error without a message; prefer one that says what to do.</summary>
    public WeightsException()
    {
    }

    /// <summary>An error of a file that cannot be read.</summary>
    public WeightsException(string message) : base(message)
    {
    }

    /// <summary>An error of a file that cannot be read, and the exception that led to it.</summary>
    public WeightsException(string message, Exception inner) : base(message, inner)
    {
    }

    /// <summary>An error of a kind.</summary>
    public WeightsException(WeightsFault fault, string message, Exception? inner = null) : base(message, inner) => Fault = fault;

    /// <summary>What is wrong.</summary>
    public WeightsFault Fault { get; } = WeightsFault.Unreadable;

    /// <summary>
    /// Runs what builds a network of a file; what is wrong with the file, and sizes that cannot be, become such an error.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="build">What is done with it.</param>
    /// <exception cref="WeightsException">The file's faults and impossible sizes.</exception>
    public static T Explain<T>(string path, Func<T> build)
    {
        try
        {
            return build();
        }
        catch (InvalidDataException e)
        {
            throw new WeightsException(e.Message, e);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new WeightsException(WeightsFault.NoNetwork, $"{path} does not hold a network that can be built: {e.Message}", e);
        }
    }
}
