using System.Globalization;
using System.Text;

namespace Dino.Cli.Terminal;

/// <summary>Standard output and standard error, also where the program was started without them (<c>2&gt;&amp;-</c>).</summary>
/// <remarks>
/// A number that was closed is given to the next file that is opened, by the runtime before the program begins or by the program itself:
/// what is
/// written to "standard error" would then stand in the middle of a checkpoint.
/// </remarks>
internal static class StandardStreams
{
    private const int OutputNumber = 1, ErrorNumber = 2, CloseOnExec = 0x80000; // O_CLOEXEC of Linux, 02000000

    private static readonly List<Microsoft.Win32.SafeHandles.SafeFileHandle> places = [];

    /// <summary>Both writers. One that was closed fails at every write; its number is taken from the files to come.</summary>
    public static (TextWriter Output, TextWriter Error) Open()
    {
        bool output = IsOpen(OutputNumber), error = IsOpen(ErrorNumber);
        if (!output || !error)
            TakePlaces();
        return (output ? Console.Out : new ClosedWriter(), error ? Console.Error : new ClosedWriter());
    }

    // What was inherited has come through an exec, so it is not closed by one; the runtime's own files all are.
    private static bool IsOpen(int number)
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{number}");
        try
        {
            foreach (string line in File.ReadLines(place))
            {
                if (line.StartsWith("flags:", StringComparison.Ordinal))
                    return (Convert.ToInt64(line["flags:".Length..].Trim(), 8) & CloseOnExec) == 0;
            }
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return true; // no such folder: not Linux
        }
    }

    private static void TakePlaces()
    {
        for (int i = 0; i <= ErrorNumber; i++)
        {
            var handle = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (handle.DangerousGetHandle() > ErrorNumber)
            {
                handle.Dispose();
                return;
            }
            places.Add(handle);
        }
    }

    private sealed class ClosedWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new IOException("it is closed");
    }
}
