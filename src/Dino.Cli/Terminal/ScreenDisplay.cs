using System.Text;
using Dino.Train.Log;
using Spectre.Console;

namespace Dino.Cli.Terminal;

/// <summary>The display that suits where a writer leads to: a live bar on a terminal, a plain line every few seconds elsewhere.</summary>
public static class ScreenDisplay
{
    /// <summary>The display of a writer. A writer that fails does not end the work.</summary>
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
