using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Cli.Tests.Commands;
using NUnit.Framework;

namespace Dino.Cli.Tests.Arguments;

/// <summary>
/// Numbers are read in one way in every option of every command, whatever the country of the machine, and the others are refused.
/// </summary>
public class NumberWordTests
{
    [TestCase("0,0005", "0.0005")]
    [TestCase("0,5", "0.5")]
    [TestCase("1,5", "1.5")]
    [TestCase("-0,07", "-0.07")]
    [TestCase("1.000,5", "1000.5")]
    [TestCase("1,000.5", "1000.5")]
    [TestCase("1.000.000", "1000000")]
    [TestCase("1_000", "1000")]
    [TestCase("1 000,5", "1000.5")]
    [TestCase("1\u00a0000", "1000")]
    [TestCase("1'000", "1000")]
    [TestCase(" 5", "5")]
    [TestCase("−5", "-5")]
    [TestCase("０.５", "0.5")]
    [TestCase("٠٫٥", "0.5")]
    [TestCase("5e-4,", null)]
    [TestCase("NaN", "one like 0.0005")]
    [TestCase("nan", "one like 0.0005")]
    [TestCase("∞", "one like 0.0005")]
    [TestCase("-Infinity", "one like 0.0005")]
    [TestCase("1e999", "one like 0.0005")]
    [TestCase("1e-999", "one like 0.0005")]
    [TestCase("0x10", "one like 0.0005")]
    [TestCase("5%", "one like 0.0005")]
    [TestCase("5f", "one like 0.0005")]
    [TestCase("1e", "one like 0.0005")]
    [TestCase("(5)", "one like 0.0005")]
    [TestCase("$5", "one like 0.0005")]
    public void ARealNumber_ThatIsWrittenOtherwise_IsRefused_WithHowToWriteIt(string word, string? write)
    {
        string? fault = NumberWord.Fault(word, typeof(double));

        Assert.That(fault, Does.StartWith($"needs a number, not '{word}'"));
        if (write is not null)
            Assert.That(fault, Does.EndWith($"write {write}."));
    }

    [Test]
    public void ACommaThatMayBeEither_GetsBothWaysToWriteIt() =>
        Assert.That(NumberWord.Fault("1,000", typeof(double)), Does.EndWith("write 1.000 or 1000."));

    [TestCase("0.0005", 0.0005)]
    [TestCase("5e-4", 0.0005)]
    [TestCase("5E+2", 500)]
    [TestCase(".5", 0.5)]
    [TestCase("5.", 5)]
    [TestCase("+5", 5)]
    [TestCase("-5", -5)]
    [TestCase("007", 7)]
    [TestCase("0", 0)]
    [TestCase("0e5", 0)]
    public void ARealNumber_IsRead(string word, double value)
    {
        var option = new Option<double>("--x");
        double read = double.NaN;

        Assert.That(NumberWord.Fault(word, typeof(double)), Is.Null);
        Assert.That(NumberWord.Fault(word, typeof(float)), Is.Null);
        using (new OtherCulture("de-DE"))
            Assert.That(Run(option, word, context => read = context.Get(option)).Code, Is.EqualTo(ExitCode.Ok));
        Assert.That(read, Is.EqualTo(value));
    }

    [TestCase("1_000", "write 1000.")]
    [TestCase("1,000", "write 1000.")]
    [TestCase("1.000", "write 1.")]
    [TestCase("1.0", "write 1.")]
    [TestCase("1e3", "write 1000.")]
    [TestCase("１０", "write 10.")]
    [TestCase("10 ", "write 10.")]
    [TestCase("1.5", "write one like 10.")]
    [TestCase("0,0005", "write one like 10.")]
    [TestCase("0x10", "write one like 10.")]
    [TestCase("2147483648", "write one between -2147483648 and 2147483647.")]
    [TestCase("-99999999999999999999", "write one between -2147483648 and 2147483647.")]
    public void AWholeNumber_ThatIsWrittenOtherwise_IsRefused_WithHowToWriteIt(string word, string end) =>
        Assert.That(NumberWord.Fault(word, typeof(int)), Does.StartWith($"needs a whole number, not '{word}'").And.EndsWith(end));

    [TestCase("+5", 5)]
    [TestCase("-5", -5)]
    [TestCase("005", 5)]
    public void AWholeNumber_IsRead(string word, int value)
    {
        var option = new Option<int>("--x");
        int read = 0;

        Assert.That(Run(option, word, context => read = context.Get(option)).Code, Is.EqualTo(ExitCode.Ok));
        Assert.That(read, Is.EqualTo(value));
    }

    [Test]
    public void ASign_IsRefused_WhereTheTypeHasNone() =>
        Assert.That(NumberWord.Fault("-1", typeof(ulong)),
            Is.EqualTo("needs a whole number of at least 0, not '-1': write it without the sign."));

    [Test]
    public void SeveralNumbers_AreWrittenWithSpaces() =>
        Assert.That(NumberWord.Fault("1,5", typeof(double), isList: true),
            Is.EqualTo("needs a number, not '1,5': write 1.5, and several with spaces between them."));

    [TestCase("0.4,1", "0.4 1")]
    [TestCase("1,5,10", "1 5 10")]
    [TestCase("0.1;0.3", "0.1 0.3")]
    public void SeveralNumbers_WithCommas_GetHowToWriteThem(string word, string write) =>
        Assert.That(NumberWord.Fault(word, typeof(double), isList: true),
            Is.EqualTo($"needs a number, not '{word}': write {write}, with spaces between several."));

    [TestCase("10,200", "10 200")]
    [TestCase("10,20", "10 20")]
    public void SeveralWholeNumbers_WithCommas_AreNotOne(string word, string write) =>
        Assert.That(NumberWord.Fault(word, typeof(int), isList: true),
            Is.EqualTo($"needs a whole number, not '{word}': write {write}, with spaces between several."));

    [TestCase("0.4,1")]
    [TestCase("12.34,5")]
    public void WhatIsNoNumber_IsNotWrittenAsAnother(string word) =>
        Assert.That(NumberWord.Fault(word, typeof(double)), Does.EndWith("write one like 0.0005."));

    /// <summary>
    /// Every option that takes a number, of every command, found by looking: one that is added later is held to the same.
    /// </summary>
    [Test]
    public void EveryOptionOfEveryCommand_RefusesNumbersThatAreWrittenOtherwise()
    {
        using var culture = new OtherCulture("de-DE");
        int options = 0;
        foreach (var (path, command) in Tree(Program.Commands, []))
        {
            foreach (var option in command.Options.Where(option => NumberWord.IsNumber(Element(option.ValueType))))
            {
                options++;
                foreach (string word in (string[])["0,0005", "1.000,5", "NaN", "1e999"])
                    AssertRefused(option.Name, word, [.. path, option.Name, word]);
            }
        }
        Assert.That(options, Is.GreaterThan(60));
    }

    [Test]
    public void InAnyPlaceAndCountry_ItIsTheSame(
        [Values("en", "de-DE", "tr-TR", "fr-FR")] string country,
        [Values("--lr {0}", "--lr={0}", "--lr:{0}", "--lr {0} --data x", "--preset small --lr {0}")] string words)
    {
        using var culture = country == "en" ? null : new OtherCulture(country);
        foreach (string word in (string[])["0,0005", "-0,5", "１"])
            AssertRefused("--lr", word, ["train", .. words.Replace("{0}", word, StringComparison.Ordinal).Split(' ')]);
    }

    private static void AssertRefused(string option, string word, string[] words)
    {
        var run = DinoProcess.Run(words);
        string what = $"{string.Join(' ', words)}: {run.Error}";
        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage), what);
        Assert.That(run.Error, Does.Contain(option).And.Contain("write ").And.Contain($"'{word}'"), what);
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n').And.Not.Contain("internal"), what);
    }

    internal static IEnumerable<(string[] Path, Command Command)> Tree(IEnumerable<Command> commands, string[] above)
    {
        foreach (var command in commands)
        {
            string[] path = [.. above, command.Name];
            yield return (path, command);
            foreach (var below in Tree(command.Subcommands, path))
                yield return below;
        }
    }

    private static Type Element(Type type)
    {
        type = type.IsArray ? type.GetElementType()! : type;
        return Nullable.GetUnderlyingType(type) ?? type;
    }

    private static (int Code, string Error) Run(Option option, string word, Action<CommandContext> body)
    {
        var command = new ProgramCommand("work", "Works.", body);
        command.Options.Add(option);
        using StringWriter output = new(), error = new();
        int code = CommandLine.Run(["work", option.Name, word], [command], output, error);
        return (code, error.ToString());
    }
}
