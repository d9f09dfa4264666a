using System.Globalization;
using Dino.Train.Log;
using static System.FormattableString;

namespace Dino.Cli.Terminal;

/// <summary>A step's numbers as one short line for a person.</summary>
public static class HealthLine
{
    /// <summary>
    /// The measures that have a label, and the speed, as in: loss 5.912 · entropy 3.870 · |g| 0.83 · lr 9.8e-04 · 41.2 img/s. What has no
    /// room in <paramref name="columns"/> is left out, the least important first.
    /// </summary>
    public static string Format(in StepRow row, int columns = int.MaxValue)
    {
        var parts = new List<(int Importance, string Text)>();
        for (int i = 0; i < row.Measures.Count; i++)
            if (row.Measures[i] is { Label: { } label } measure)
                parts.Add((measure.Importance, $"{label} {row.Values[i].ToString(measure.Format, CultureInfo.InvariantCulture)}"));
        parts.Add((Measure.SpeedImportance, Invariant($"{row.ImagesPerSecond:F1} img/s")));
        const string between = " · ";
        bool[] chosen = new bool[parts.Count];
        long taken = -between.Length;
        foreach (int part in Enumerable.Range(0, parts.Count).OrderByDescending(i => parts[i].Importance))
        {
            if (taken + between.Length + parts[part].Text.Length > columns)
                break;
            taken += between.Length + parts[part].Text.Length;
            chosen[part] = true;
        }
        return string.Join(between, parts.Where((_, i) => chosen[i]).Select(part => part.Text));
    }

    /// <summary>A duration as 1:02:03 or 2:03.</summary>
    public static string Format(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:D2}:{time.Seconds:D2}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:D2}");
}
