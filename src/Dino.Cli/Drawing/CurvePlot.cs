using System.Globalization;
using Dino.Train.Log;
using ScottPlot;

namespace Dino.Cli.Drawing;

/// <summary>The curves of a training run as PNG pictures.</summary>
public static class CurvePlot
{
    private const int Width = 1100, Height = 620;

    /// <summary>Draws loss and teacher entropy over the steps, each raw and smoothed, with ln K as a dashed line.</summary>
    /// <param name="path">The file.</param>
    /// <param name="steps">At least one step, in order. Steps without a loss or entropy (NaN) are left out of that curve.</param>
    /// <param name="title">One line at the top.</param>
    public static void WriteLoss(string path, IReadOnlyList<StepReport> steps, string title = "Loss and teacher entropy")
    {
        if (steps.Count == 0)
            throw new ArgumentException("There is no step to plot.", nameof(steps));
        var plot = PlotStyle.Begin(title, "step", "nats");
        double lnK = steps[^1].LogPrototypes;
        Curve(plot, "teacher entropy", PlotStyle.Orange, steps, step => step.TeacherEntropy);
        Curve(plot, "loss", PlotStyle.Blue, steps, step => step.Loss);
        if (double.IsFinite(lnK))
            Reference(plot, lnK, string.Create(CultureInfo.InvariantCulture, $"ln K = {lnK:F2}"), LinePattern.Dashed);
        plot.Axes.AutoScale();
        var limits = plot.Axes.GetLimits();
        plot.Axes.SetLimitsY(Math.Min(0, limits.Bottom), limits.Top);
        PlotStyle.ShowLegend(plot, Alignment.LowerLeft);
        plot.Write(path, Width, Height);
    }

    /// <summary>Draws <see cref="WriteLoss(string, IReadOnlyList{StepReport}, string)"/> from a log.jsonl.</summary>
    /// <exception cref="InvalidDataException">The log has no step or cannot be read.</exception>
    public static void WriteLossFromLog(string path, string log, string title = "Loss and teacher entropy")
    {
        var (steps, _) = RunLogReader.Read(log);
        if (steps.Count == 0)
            throw new InvalidDataException($"{log} has no line of a step: there is nothing to plot.");
        WriteLoss(path, steps, title);
    }

    /// <summary>Draws k-NN accuracy over the steps, with what it is to be compared with as dashed lines.</summary>
    /// <param name="path">The file.</param>
    /// <param name="points">Steps done and accuracy in percent, in order; at least one.</param>
    /// <param name="references">Name and accuracy in percent: raw pixels, random weights, chance.</param>
    /// <param name="title">One line at the top.</param>
    public static void WriteAccuracy(string path, IReadOnlyList<(long Steps, double Top1)> points,
        IReadOnlyList<(string Name, double Top1)> references, string title = "k-NN accuracy of the teacher")
    {
        if (points.Count == 0)
            throw new ArgumentException("There is no accuracy to plot.", nameof(points));
        var plot = PlotStyle.Begin(title, "step", "top-1, %");
        var curve = plot.Add.Scatter(points.Select(p => (double)p.Steps).ToArray(), points.Select(p => p.Top1).ToArray());
        (curve.LegendText, curve.Color, curve.LineWidth, curve.MarkerSize) = ("k-NN, 20 neighbours", PlotStyle.Green, 2.5f, 8);
        LinePattern[] patterns = [LinePattern.Dashed, LinePattern.Dotted, LinePattern.DenselyDashed];
        for (int i = 0; i < references.Count; i++)
        {
            var (name, value) = references[i];
            Reference(plot, value, string.Create(CultureInfo.InvariantCulture, $"{name}: {value:F1} %"), patterns[i % patterns.Length]);
        }
        plot.Axes.AutoScale();
        double top = points.Select(p => p.Top1).Concat(references.Select(r => r.Top1)).Max();
        plot.Axes.SetLimitsY(0, Math.Min(100, top * 1.15));
        PlotStyle.ShowLegend(plot, Alignment.LowerRight);
        plot.Write(path, Width, Height);
    }

    private static void Curve(Plot plot, string name, Color colour, IReadOnlyList<StepReport> steps, Func<StepReport, double> value)
    {
        var measured = steps.Where(step => double.IsFinite(value(step))).ToArray();
        if (measured.Length == 0)
            return;
        double[] x = [.. measured.Select(step => (double)step.Step)], y = [.. measured.Select(value)];
        var raw = plot.Add.Scatter(x, y);
        (raw.Color, raw.LineWidth, raw.MarkerSize) = (colour.WithAlpha(0.28), 1, measured.Length == 1 ? 6 : 0);
        var smooth = plot.Add.Scatter(x, Smooth(y));
        (smooth.Color, smooth.LineWidth, smooth.MarkerSize, smooth.LegendText) = (colour, 2.5f, 0, name);
    }

    private static void Reference(Plot plot, double value, string name, LinePattern pattern)
    {
        var line = plot.Add.HorizontalLine(value);
        (line.Color, line.LineWidth, line.LinePattern, line.LegendText) = (PlotStyle.Grey, 1.5f, pattern, name);
    }

    /// <summary>
    /// Weighted mean of each value and those before and after it (a Gaussian, one fiftieth of the curve wide): it does not lag behind.
    /// </summary>
    internal static double[] Smooth(double[] values)
    {
        double width = Math.Max(1, values.Length / 50.0);
        int reach = (int)Math.Ceiling(3 * width);
        double[] smooth = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            double sum = 0, weights = 0;
            for (int j = Math.Max(0, i - reach); j <= Math.Min(values.Length - 1, i + reach); j++)
            {
                double weight = Math.Exp(-0.5 * (i - j) * (i - j) / (width * width));
                sum += weight * values[j];
                weights += weight;
            }
            smooth[i] = sum / weights;
        }
        return smooth;
    }
}
