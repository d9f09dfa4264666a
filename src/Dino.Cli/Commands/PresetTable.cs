using Dino.Cli.Terminal;
using Dino.Train.Options;

namespace Dino.Cli.Commands;

/// <summary>The presets side by side, for the help.</summary>
internal static class PresetTable
{
    /// <summary>The presets as a table: every hyperparameter in which one differs from the defaults. For the help, made from the presets themselves.</summary>
    public static ResultTable Make()
    {
        var columns = Presets.Names.Select(name => (string?)name).Prepend(null).Select(name => (Name: name, Options: name is null ? new TrainOptions() : Presets.Named(name))).ToArray();
        var table = new ResultTable(["option", .. columns.Select(column => column.Name ?? "none")]);
        foreach (var one in Hyperparameters.All)
        {
            string[] cells = [.. columns.Select(column => Presets.IsFitted(column.Name) && Presets.FittedOptions.Contains(one.Option) ? "by pictures" : one.Text(column.Options))];
            if (cells.Distinct().Count() > 1 || Presets.FittedOptions.Contains(one.Option))
                table.Add([one.Option, .. cells]);
        }
        return table;
    }
}
