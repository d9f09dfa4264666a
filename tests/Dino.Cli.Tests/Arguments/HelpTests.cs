using System.Text.RegularExpressions;
using Dino.Cli.Arguments;
using Dino.Cli.Tests.Commands;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Cli.Tests.Arguments;

/// <summary>The help says of every option what is taken and what holds when it is not given.</summary>
public class HelpTests
{
    [Test]
    public void EveryOptionThatHasADefault_ShowsIt()
    {
        foreach (var (path, command) in NumberWordTests.Tree(Program.Commands, []))
        {
            var help = DinoProcess.Run([.. path, "--help"]);
            Assert.That(help.Code, Is.EqualTo(ExitCode.Ok));
            foreach (var option in command.Options)
            {
                string line = help.Output.Split('\n')
                    .First(line => line.TrimStart().StartsWith(option.Name + " ", StringComparison.Ordinal));
                string what = $"{string.Join(' ', path)}: {line}";
                if (option.ValueType.IsValueType && Nullable.GetUnderlyingType(option.ValueType) is null
                    && option.ValueType != typeof(bool))
                    Assert.That(line, Does.Contain("[default: "), what);
                if (option.ValueType.IsEnum)
                    Assert.That(line, Does.Contain(
                        string.Join('|', Enum.GetNames(option.ValueType).Select(name => name.ToLowerInvariant()))), what);
                Assert.That(Regex.IsMatch(line, @"\[default: [^\]]*[A-Z|]"), Is.False, what);
            }
        }
    }

    [Test]
    public void TheHelpOfTrain_HasEveryPresetsValues()
    {
        string[] rows = DinoProcess.Run("train", "--help").Output.Split("Presets", 2)[1].Split('\n');
        Assert.That(rows.First(row => row.Contains("option", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Is.EqualTo([.. (string[])["option", "none"], .. DinoPresets.Names]));
        foreach (var one in DinoHyperparameters.All)
        {
            string[] values = [one.Text(new DinoOptions()), .. DinoPresets.Names.Select(name => one.Text(DinoPresets.Named(name)))];
            string? row = rows.FirstOrDefault(row => row.StartsWith($"  {OptionNames.Of(one.Property)} ", StringComparison.Ordinal));
            if (DinoPresets.FittedProperties.Contains(one.Property))
                Assert.That(row, Does.Contain("by pictures").And.Contain(one.Text(DinoPresets.Named("paper"))));
            else if (values.Distinct().Count() > 1)
                Assert.That(Regex.Split(row!.Trim(), " {2,}").Skip(1), Is.EqualTo(values), one.Property);
            else
                Assert.That(row, Is.Null, one.Property);
        }
    }
}
