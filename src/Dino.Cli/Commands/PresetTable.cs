using Dino.Cli.Arguments;
using Dino.Cli.Terminal;
using Dino.Train.Methods.Dino;

namespace Dino.Cli.Commands;

/// <summary>The presets side by side, for the help.</summary>
internal static class PresetTable
{
    /// <summary>Every hyperparameter in which a preset differs from the defaults; made from the presets themselves.</summary>
    public static ResultTable Make()
    {
        var columns = DinoPresets.Names.Select(name => (string?)name).Prepend(null)
            .Select(name => (Name: name, Options: name is null ? new DinoOptions() : DinoPresets.Named(name))).ToArray();
        var table = new ResultTable(["option", .. columns.Select(column => column.Name ?? "none")]);
        foreach (var one in DinoHyperparameters.All)
        {
            bool isFitted = DinoPresets.FittedProperties.Contains(one.Property);
            string[] cells =
            [
                .. columns.Select(column => isFitted && DinoPresets.IsFitted(column.Name) ? "by pictures" : one.Text(column.Options)),
            ];
            if (isFitted || cells.Distinct().Count() > 1)
                table.Add([OptionNames.Of(one.Property), .. cells]);
        }
        return table;
    }
}
