using System.Text.Json;

namespace Dino.Cli.Arguments;

/// <summary>Real numbers of a result as JSON.</summary>
internal static class JsonNumbers
{
    /// <summary>
    /// Writes a number, or null for one that is not finite: JSON has no word for it, and a result without it is still a result.
    /// </summary>
    public static void WriteReal(this Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }
}
