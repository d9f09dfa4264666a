using System.Globalization;
using Spectre.Console;

namespace Dino.Cli.Terminal;

/// <summary>A table of results as plain text.</summary>
public sealed class ResultTable
{
    // A name of a folder or file may be as long as a screen is wide.
    private const int WidestName = 60;

    private readonly Table table = new() { Border = TableBorder.Simple };

    /// <summary>An empty table; all columns but the first are numbers and stand at the right.</summary>
    public ResultTable(params ReadOnlySpan<string> columns)
    {
        for (int i = 0; i < columns.Length; i++)
            table.AddColumn(new TableColumn(Markup.Escape(columns[i]))
            {
                Alignment = i == 0 ? Justify.Left : Justify.Right,
                NoWrap = true
            });
    }

    /// <summary>Adds a row: texts and numbers; numbers get two decimals, null is left empty.</summary>
    public void Add(params ReadOnlySpan<object?> cells)
    {
        var texts = new string[cells.Length];
        for (int i = 0; i < cells.Length; i++)
            texts[i] = Markup.Escape(cells[i] switch
            {
                null => "",
                double number => number.ToString("F2", CultureInfo.InvariantCulture),
                IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
                var other => ScreenText.CutToColumns(ScreenText.Escape(other.ToString() ?? ""), WidestName),
            });
        table.AddRow(texts);
    }

    /// <summary>Writes the table, as wide as it needs.</summary>
    public void WriteTo(TextWriter writer)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
        });
        console.Profile.Width = 200;
        console.Write(table);
        foreach (string line in text.ToString().Split('\n'))
        {
            if (line.Trim().Length > 0)
                writer.WriteLine(line.TrimEnd());
        }
    }
}
