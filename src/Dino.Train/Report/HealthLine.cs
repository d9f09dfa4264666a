using System.Globalization;

namespace Dino.Train.Report;

/// <summary>A step's numbers as one short line for a person.</summary>
public static class HealthLine
{
    /// <summary>For instance: loss 5.912 · entropy 3.870 · KL 2.042 · ln K − loss 1.019 · |g| 0.83 · lr 9.8e-04 · 41.2 img/s.</summary>
    public static string Format(in StepReport report) => string.Create(CultureInfo.InvariantCulture,
        $"loss {report.Loss:F3} · entropy {report.TeacherEntropy:F3} · KL {report.KlDivergence:F3} · ln K − loss {report.DistanceToUniform:F3}" +
        $" · |centre| {report.CentreNorm:G3} · |g| {report.GradientNorm:G3} · lr {report.LearningRate:0.0e-00} · {report.ImagesPerSecond:F1} img/s");

    /// <summary>A duration as 1:02:03 or 2:03.</summary>
    public static string Format(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:D2}:{time.Seconds:D2}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:D2}");
}
