using System.Text;
using Spectre.Console;

namespace Dino.Train.Report;

/// <summary>Shows how far a piece of work is: a live bar on a terminal, a plain line every few seconds elsewhere.</summary>
public abstract class ProgressDisplay
{
    /// <summary>The display that suits where the writer leads to. A writer that fails does not end the work.</summary>
    public static ProgressDisplay For(TextWriter writer)
    {
        var sturdy = writer as SturdyWriter ?? new SturdyWriter(writer);
        bool terminal = ReferenceEquals(sturdy.Inner, Console.Out) ? !Console.IsOutputRedirected
            : ReferenceEquals(sturdy.Inner, Console.Error) && !Console.IsErrorRedirected;
        if (!terminal)
            return new PlainProgress(sturdy, TimeProvider.System);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new TerminalOutput(sturdy) });
        return console.Profile.Capabilities.Interactive ? new LiveProgress(console) : new PlainProgress(sturdy, TimeProvider.System);
    }

    /// <summary>Runs the work on the calling thread and shows its progress until it returns or throws.</summary>
    /// <param name="name">What is done, in a word or two.</param>
    /// <param name="total">How many parts there are.</param>
    /// <param name="work">The work; it reports to the tracker as it goes.</param>
    public abstract void Run(string name, long total, Action<ProgressTracker> work);

    private sealed class TerminalOutput(SturdyWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => Size(() => Console.WindowWidth, 80);

        public int Height => Size(() => Console.WindowHeight, 24);

        public void SetEncoding(Encoding encoding)
        {
        }

        // A terminal that has gone has no size.
        private static int Size(Func<int> size, int otherwise)
        {
            try
            {
                return size() is > 0 and var known ? known : otherwise;
            }
            catch (IOException)
            {
                return otherwise;
            }
        }
    }
}
