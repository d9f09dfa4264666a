namespace Dino.Train.Cli;

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

    /// <summary>What the program ends with: <see cref="Cli.ExitCode.Usage"/> where nothing was tried.</summary>
    public int ExitCode { get; init; } = Cli.ExitCode.Failure;
}
