using System.Globalization;
using Dino.Train.Log;
using ScottPlot;

namespace Dino.Cli.Drawing;

/// <summary>The curves of a training run as PNG pictures.</summary>
public static class CurvePlot
{
    private const int Width = 1100, Height = 620;

    /// <summary>
    /// Draws what a method measures over the steps: each measure with a <see cref="Measure.Curve"/> of one unit, raw and smoothed, and
    /// those to
    /// compare with as dashed lines.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="steps">At least one step, in order. Steps where a measure is not finite are left out of its curve.</param>
    /// <param name="unit">The unit of the measures to draw; null for that of the first which has a curve.</param>
    /// <exception cref="ArgumentException">There is no step, or no curve of the unit.</exception>
    public static void WriteSteps(string path, IReadOnlyList<StepRow> steps, string? unit = null)
    {
        if (steps.Count == 0)
            throw new ArgumentException("There is no step to plot.", nameof(steps));
        unit ??= steps[0].Measures.FirstOrDefault(measure => measure.Curve is not null)?.Curve!.Unit;
        Measure[] shown = [.. steps[0].Measures.Where(measure => measure.Curve is not null && measure.Curve.Unit == unit)];
        Measure[] lines = [.. shown.Where(measure => !measure.Curve!.IsReference)];
        if (lines.Length == 0)
            throw new ArgumentException("No measure of these steps has a curve to plot.", nameof(steps));
        var plot = PlotStyle.Begin(Title(lines), "step", unit!);
        // The first lies on top.
        for (int i = lines.Length - 1; i >= 0; i--)
            Curve(plot, lines[i].Curve!.Label, PlotStyle.Line(i), steps, lines[i].Name);
        foreach (var measure in shown.Except(lines))
            if (steps[^1].TryGet(measure.Name, out double value) && double.IsFinite(value))
                Reference(plot, value, string.Create(CultureInfo.InvariantCulture, $"{measure.Curve!.Label} = {value:F2}"),
                    LinePattern.Dashed);
        plot.Axes.AutoScale();
        var limits = plot.Axes.GetLimits();
        plot.Axes.SetLimitsY(Math.Min(0, limits.Bottom), limits.Top);
        PlotStyle.ShowLegend(plot, Alignment.LowerLeft);
        plot.Write(path, Width, Height);
    }

    /// <summary>Draws <see cref="WriteSteps(string, IReadOnlyList{StepRow}, string)"/> from a log.jsonl.</summary>
    /// <param name="path">The file.</param>
    /// <param name="log">The log.</param>
    /// <param name="measures">What its method measures.</param>
    /// <exception cref="InvalidDataException">The log has no step or cannot be read.</exception>
    public static void WriteLog(string path, string log, IReadOnlyList<Measure> measures)
    {
        var (steps, _) = RunLogReader.Read(log, measures);
        if (steps.Count == 0)
            throw new InvalidDataException($"{log} has no line of a step: there is nothing to plot.");
        WriteSteps(path, steps);
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

    // As in: Loss and teacher entropy.
    private static string Title(Measure[] lines)
    {
        string[] labels = [.. lines.Select(measure => measure.Curve!.Label)];
        string all = labels.Length == 1 ? labels[0] : $"{string.Join(", ", labels[..^1])} and {labels[^1]}";
        return char.ToUpperInvariant(all[0]) + all[1..];
    }

    private static void Curve(Plot plot, string name, Color colour, IReadOnlyList<StepRow> steps, string measure)
    {
        var measured = steps.Where(step => step.TryGet(measure, out double value) && double.IsFinite(value)).ToArray();
        if (measured.Length == 0)
            return;
        double[] x = [.. measured.Select(step => (double)step.Step)], y = [.. measured.Select(step => step[measure])];
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
