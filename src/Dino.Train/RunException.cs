namespace Dino.Train;

/// <summary>
/// A training run cannot begin, go on, or be read: its folder is in use or holds another run, a file is no checkpoint, there is not the
/// memory, the
/// loss is no longer finite. The message says what is wrong, where, and what to do; properties stand in backticks.
/// </summary>
public sealed class RunException : Exception
{
    /// <summary>An error without a message; prefer one that says what to do.</summary>
    public RunException()
    {
    }

    /// <summary>An error with a message.</summary>
    public RunException(string message) : base(message)
    {
    }

    /// <summary>An error with a message and the exception that led to it.</summary>
    public RunException(string message, Exception? inner) : base(message, inner)
    {
    }
}
