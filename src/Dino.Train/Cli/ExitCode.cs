namespace Dino.Train.Cli;

/// <summary>What the program tells the shell.</summary>
public static class ExitCode
{
    /// <summary>It did what was asked.</summary>
    public const int Ok = 0;

    /// <summary>It tried and failed.</summary>
    public const int Failure = 1;

    /// <summary>The command line was wrong; nothing was tried.</summary>
    public const int Usage = 2;

    /// <summary>Ctrl-C (128 + SIGINT) or a request to end.</summary>
    public const int Interrupted = 130;
}
