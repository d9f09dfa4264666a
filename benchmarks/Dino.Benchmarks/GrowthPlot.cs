using Dino.Tensors.Io;
using ScottPlot;
using ScottPlot.MultiplotLayouts;
using PlotStyle = Dino.Cli.Drawing.PlotStyle;

namespace Dino.Benchmarks;

/// <summary>Time and memory over the pictures of a step, beside each other; one line for each patch size.</summary>
internal static class GrowthPlot
{
    private const int Width = 1200, Height = 520;
    private static readonly Color[] Colours = [PlotStyle.Blue, PlotStyle.Orange, PlotStyle.Green, PlotStyle.Grey];

    /// <summary>Draws the picture as PNG.</summary>
    public static void Write(IReadOnlyList<GrowthRow> rows, string path)
    {
        string arch = rows[0].Settings.Arch;
        var both = new Multiplot { Layout = new Columns() };
        both.RemovePlot(both.GetPlot(0));
        both.AddPlot(Panel($"Time of a step, {arch}", "seconds", rows, row => row.Ms.Median / 1000));
        both.AddPlot(Panel($"Peak memory of a step, {arch}", "MiB resident", rows, row => row.PeakRssMib));
        byte[] png = both.Render(Width, Height).GetImageBytes(ImageFormat.Png);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    private static Plot Panel(string title, string unit, IReadOnlyList<GrowthRow> rows, Func<GrowthRow, double> value)
    {
        var plot = PlotStyle.Begin(title, "pictures in a batch", unit);
        int colour = 0;
        foreach (var patch in rows.GroupBy(row => row.Settings.Patch))
        {
            var line = plot.Add.Scatter(
                patch.Select(row => (double)row.Settings.Batch).ToArray(), patch.Select(value).ToArray(),
                Colours[colour++ % Colours.Length]);
            (line.LegendText, line.LineWidth, line.MarkerSize) = ($"patch {patch.Key}", 2.5f, 8);
        }
        double[] batches = [.. rows.Select(row => (double)row.Settings.Batch).Distinct().Order()];
        plot.Axes.Bottom.SetTicks(batches, [.. batches.Select(batch => $"{batch}")]);
        plot.Axes.SetLimits(0, rows.Max(row => row.Settings.Batch) * 1.05, 0, rows.Max(value) * 1.1);
        PlotStyle.ShowLegend(plot, Alignment.UpperLeft);
        return plot;
    }
}
