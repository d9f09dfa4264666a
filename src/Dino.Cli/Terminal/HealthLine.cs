using System.Globalization;
using Dino.Train.Log;
using static System.FormattableString;

namespace Dino.Cli.Terminal;

/// <summary>A step's numbers as one short line for a person.</summary>
public static class HealthLine
{
    // The first have room on the narrowest line.
    private static readonly int[] byImportance = [0, 7, 6, 2, 1, 5, 3, 4];

    /// <summary>
    /// For instance: loss 5.912 · entropy 3.870 · KL 2.042 · ln K − loss 1.019 · |g| 0.83 · lr 9.8e-04 · 41.2 img/s. What has no room in
    /// <paramref name="columns"/> is left out, the least important first.
    /// </summary>
    public static string Format(in StepReport report, int columns = int.MaxValue)
    {
        string[] parts =
        [
            Invariant($"loss {report.Loss:F3}"), Invariant($"entropy {report.TeacherEntropy:F3}"), Invariant($"KL {report.KlDivergence:F3}"),
            Invariant($"ln K − loss {report.DistanceToUniform:F3}"), Invariant($"|centre| {report.CentreNorm:G3}"),
            Invariant($"|g| {report.GradientNorm:G3}"), Invariant($"lr {report.LearningRate:0.0e-00}"), Invariant($"{report.ImagesPerSecond:F1} img/s"),
        ];
        const string between = " · ";
        bool[] chosen = new bool[parts.Length];
        long taken = -between.Length;
        foreach (int part in byImportance)
        {
            if (taken + between.Length + parts[part].Length > columns)
                break;
            taken += between.Length + parts[part].Length;
            chosen[part] = true;
        }
        return string.Join(between, parts.Where((_, i) => chosen[i]));
    }

    /// <summary>A duration as 1:02:03 or 2:03.</summary>
    public static string Format(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:D2}:{time.Seconds:D2}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:D2}");
}
