namespace Dino.Cli.Arguments;

/// <summary>What the program tells the shell.</summary>
public static class ExitCode
{
    /// <summary>It did what was asked.</summary>
    public const int Ok = 0;

    /// <summary>It tried and failed.</summary>
    public const int Failure = 1;

    /// <summary>The command line was wrong; nothing was tried.</summary>
    public const int Usage = 2;

    /// <summary>Ctrl-C (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>A request to end (128 + SIGTERM).</summary>
    public const int Terminated = 143;

    /// <summary>The terminal went away (128 + SIGHUP).</summary>
    public const int HungUp = 129;
}
