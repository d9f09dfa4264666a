using System.Globalization;
using System.Runtime.InteropServices;
using Dino.Cli.Arguments;
using Dino.Train.Runs;

namespace Dino.Cli.Terminal;

/// <summary>
/// Ctrl-C, a request to end, and a terminal that goes away. The first asks the command to stop, which it does between two pieces of work
/// and says what
/// it kept; if that takes too long the process ends without it, since nothing that is kept can be half written. The second ends it at once.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    // A command that looks often has stopped long before; what runs on is a decoder or a library that cannot be asked.
    private const int Patience = 1600;

    // Writing the last checkpoint on a slow disk is worth waiting for; a second signal does not.
    private const int WritingPatience = 60_000;

    private const int Look = 50;

    private readonly CancellationTokenSource stop = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private readonly Action onOverdue;
    private volatile bool ended;

    /// <summary>Listens from now on.</summary>
    /// <param name="onOverdue">Says what was kept, before the process ends.</param>
    public StopSignals(Action onOverdue)
    {
        this.onOverdue = onOverdue;
        foreach (var (signal, code) in new[] { (PosixSignal.SIGINT, ExitCode.Interrupted), (PosixSignal.SIGTERM, ExitCode.Terminated),
            (PosixSignal.SIGHUP, ExitCode.HungUp) })
        {
            // nohup says that a closed terminal is to be ignored.
            if (signal != PosixSignal.SIGHUP || !IsIgnored(number: 1))
                registrations.Add(PosixSignalRegistration.Create(signal, context => OnSignal(context, code)));
        }
    }

    /// <summary>Is cancelled by the first signal.</summary>
    public CancellationToken Token => stop.Token;

    /// <summary>The exit code of the first signal; 0 before there is one.</summary>
    public int Code { get; private set; }

    public void Dispose()
    {
        ended = true;
        foreach (var registration in registrations)
            registration.Dispose();
        // The source stays: its waiter may look at it once more.
    }

    private void OnSignal(PosixSignalContext context, int code)
    {
        if (Code != 0)
            return; // the system's own way of ending takes its course
        context.Cancel = true;
        Code = code;
        new Thread(Wait) { IsBackground = true, Name = "stop" }.Start();
        stop.Cancel();
    }

    private void Wait()
    {
        for (int waited = 0; waited < (Checkpoint.IsSaving ? WritingPatience : Patience); waited += Look)
        {
            Thread.Sleep(Look);
            if (ended)
                return;
        }
        onOverdue();
        Environment.Exit(Code);
    }

    private static bool IsIgnored(int number)
    {
        const string status = "/proc/self/status", key = "SigIgn:";
        if (!File.Exists(status))
            return false;
        string? line = File.ReadLines(status).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
        return line is not null && (ulong.Parse(
            line.AsSpan(key.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (number - 1) & 1) != 0;
    }
}
