using System.Globalization;

namespace Dino.Train;

/// <summary>What this process may still take of the host's memory.</summary>
public static class HostMemory
{
    /// <summary>
    /// Bytes: the least of what the process is given (its container's limit) and what the system has available for new work.
    /// </summary>
    public static long AvailableBytes
    {
        get
        {
            long given = Math.Max(0, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet);
            return SystemAvailable() is { } free ? Math.Min(given, free) : given;
        }
    }

    /// <summary>MemAvailable of Linux, which counts what caches would give back; null where there is none.</summary>
    private static long? SystemAvailable()
    {
        const string file = "/proc/meminfo", name = "MemAvailable:";
        try
        {
            string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))
                : null;
            return line is not null && long.TryParse(
                line.AsSpan(name.Length).TrimEnd("kB ").Trim(), CultureInfo.InvariantCulture, out long kibibytes)
                ? kibibytes << 10
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
