namespace Dino.Cli.Arguments;

/// <summary>
/// Something that the person at the keyboard can put right. The message is one line: what is wrong, where, and what to do.
/// The program prints it without a stack trace and ends with exit code 1.
/// </summary>
public sealed class UserErrorException : Exception
{
    /// <summary>An error without a message; prefer one that says what to do.</summary>
    public UserErrorException()
    {
    }

    /// <summary>An error with a one-line message for the user.</summary>
    public UserErrorException(string message) : base(message)
    {
    }

    /// <summary>An error with a one-line message for the user and the exception that led to it.</summary>
    public UserErrorException(string message, Exception inner) : base(message, inner)
    {
    }

    /// <summary>Whether the words typed were wrong, so that nothing was tried: the program then ends with exit code 2.</summary>
    public bool IsUsage { get; init; }
}
