using Dino.Tensors.Io;
using ScottPlot;
using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>The look of all plots: the letters of all reports, pale grid, no box.</summary>
internal static class PlotStyle
{
    public static readonly Color Blue = new("#2563EB"), Orange = new("#EA7317"), Green = new("#0F9D6B"), Grey = new("#8A8F98");

    private static readonly Color[] lines = [Blue, Orange, Green, new("#9333EA"), new("#BE123C")];

    /// <summary>The colour of a plot's line, counted from 0.</summary>
    public static Color Line(int index) => lines[index % lines.Length];

    /// <summary>An empty plot with a title and labelled axes.</summary>
    public static Plot Begin(string title, string x, string y)
    {
        if (!Fonts.FontResolvers.Exists(resolver => resolver is ReportFontResolver))
            Fonts.FontResolvers.Insert(0, new ReportFontResolver());
        var plot = new Plot();
        plot.Title(title, size: 20);
        plot.XLabel(x, size: 15);
        plot.YLabel(y, size: 15);
        plot.Font.Set(ReportFont.Family);
        plot.FigureBackground.Color = Colors.White;
        plot.Grid.MajorLineColor = new Color("#E6E8EC");
        plot.Axes.Color(new Color("#3A3F47"));
        plot.Axes.Right.FrameLineStyle.IsVisible = false;
        plot.Axes.Top.FrameLineStyle.IsVisible = false;
        plot.Axes.Bottom.TickLabelStyle.FontSize = 13;
        plot.Axes.Left.TickLabelStyle.FontSize = 13;
        return plot;
    }

    /// <summary>Adds the key, in the same letters.</summary>
    public static void ShowLegend(Plot plot, Alignment alignment)
    {
        plot.Legend.FontName = ReportFont.Family;
        plot.Legend.FontSize = 14;
        plot.Legend.OutlineColor = new Color("#D5D8DE");
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.ShowLegend(alignment, Orientation.Vertical);
    }

    /// <summary>Writes the plot as PNG.</summary>
    public static void Write(this Plot plot, string path, int width, int height)
    {
        byte[] png = plot.GetImageBytes(width, height, ImageFormat.Png);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    /// <summary>
    /// Gives the plotting library the reports' letters for every name: it could find no others (see <see cref="ReportFont"/>).
    /// </summary>
    private sealed class ReportFontResolver : IFontResolver
    {
        public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
            ReportFont.Create(weight >= FontWeight.SemiBold);

        public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => ReportFont.Create(bold);
    }
}
