using Dino.Tensors.Io;

namespace Dino.Cli.Arguments;

/// <summary>
/// Arguments as they were given: .NET replaces bytes that are no UTF-8, and a file of such a name could not be named. Linux shows the bytes
/// in /proc.
/// </summary>
internal static class RawArguments
{
    /// <summary>The arguments, names that are no UTF-8 as <see cref="RawName"/> spells them.</summary>
    public static string[] Of(string[] arguments)
    {
        if (!OperatingSystem.IsLinux() || !arguments.Any(argument => argument.Contains('\uFFFD', StringComparison.Ordinal)))
            return arguments;
        try
        {
            return Read(File.ReadAllBytes("/proc/self/cmdline"), arguments);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return arguments;
        }
    }

    /// <summary>The last of the words of a command line, each ended by a zero; as they were where these are others.</summary>
    internal static string[] Read(ReadOnlySpan<byte> commandLine, string[] arguments)
    {
        var words = new List<string>();
        while (commandLine.IndexOf((byte)0) is >= 0 and var end)
        {
            words.Add(RawName.Of(commandLine[..end]));
            commandLine = commandLine[(end + 1)..];
        }
        return words.Count >= arguments.Length ? [.. words.TakeLast(arguments.Length)] : arguments;
    }
}
