namespace Dino.Train.Evaluation;

/// <summary>
/// A network cannot be evaluated on what was given: labels do not fit, nothing can be read, features are not finite or of something else,
/// there is
/// not the memory. The message says what is wrong, where, and what to do; properties stand in backticks.
/// </summary>
public sealed class EvaluationException : Exception
{
    /// <summary>An error without a message; prefer one that says what to do.</summary>
    public EvaluationException()
    {
    }

    /// <summary>An error with a message.</summary>
    public EvaluationException(string message) : base(message)
    {
    }

    /// <summary>An error with a message and the exception that led to it.</summary>
    public EvaluationException(string message, Exception? inner) : base(message, inner)
    {
    }
}
