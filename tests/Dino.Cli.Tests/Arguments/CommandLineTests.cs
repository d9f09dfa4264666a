using System.CommandLine;
using System.Text.Json;
using Dino.Cli.Arguments;
using NUnit.Framework;

namespace Dino.Cli.Tests.Arguments;

public class CommandLineTests
{
    private static readonly Option<int> Epochs = new("--epochs") { Description = "Epochs to train.", DefaultValueFactory = _ => 10 };
    private static readonly Option<double> LearningRate = new("--lr") { Description = "Peak learning rate." };

    [Test]
    public void ACommandRuns_AndSeesItsOptions()
    {
        int seen = 0;
        bool given = true;
        var run = Run(["work", "--epochs", "3"], context => (seen, given) = (context.Get(Epochs), context.IsGiven(LearningRate)));

        Assert.That((run.Code, seen, given), Is.EqualTo((ExitCode.Ok, 3, false)));
    }

    [Test]
    public void UnknownOption_IsOneLineWithASuggestion_AndExitCode2()
    {
        var run = Run(["work", "--epocs", "3"]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(run.Error, Is.EqualTo("dino work: unknown option '--epocs'. Did you mean '--epochs'? See 'dino work --help'.\n"));
        Assert.That(run.Output, Is.Empty);
    }

    [Test]
    public void UnknownOption_UnlikeAnyOther_GetsNoSuggestion() =>
        Assert.That(Run(["work", "--frobnicate=1"]).Error,
            Is.EqualTo("dino work: unknown option '--frobnicate'. See 'dino work --help'.\n"));

    [Test]
    public void OptionsOfAllCommands_AreSuggestedToo() =>
        Assert.That(Run(["work", "--jsn"]).Error, Does.Contain("Did you mean '--json'?"));

    [Test]
    public void UnknownCommand_IsOneLine_AndExitCode2()
    {
        var run = Run(["wrok"]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(run.Error, Does.StartWith("dino: unknown command 'wrok'."));
        Assert.That(run.Error.Trim(), Does.Not.Contain("\n"));
        Assert.That(Run(["wor"]).Error, Does.Contain("Did you mean 'work'?"));
    }

    [TestCase("--epochs", "many", "--epochs needs a whole number, not 'many'.")]
    [TestCase("--lr", "high", "--lr needs a number, not 'high'.")]
    public void AValueOfTheWrongKind_IsNamed(string option, string value, string reason)
    {
        var run = Run(["work", option, value]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(run.Error, Is.EqualTo($"dino work: {reason} See 'dino work --help'.\n"));
    }

    [Test]
    public void AnOptionWithoutItsValue_IsAUsageError()
    {
        var run = Run(["work", "--epochs"]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(run.Error, Does.StartWith("dino work: ").And.Contain("--epochs"));
        Assert.That(run.Error.Trim(), Does.Not.Contain("\n"));
    }

    [Test]
    public void UserError_IsOneLine_ExitCode1_NoStackTrace()
    {
        var run = Run(["work"], _ => throw new UserErrorException("no pictures in 'x'.\nPut some there."));

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure));
        Assert.That(run.Error, Is.EqualTo("dino work: no pictures in 'x'. Put some there.\n"));
    }

    [Test]
    public void InternalError_IsOneLineThatPointsToVerbose_AndVerboseShowsWhere()
    {
        static void Fail(CommandContext context) => throw new InvalidOperationException("lost the thread");

        var plain = Run(["work"], Fail);
        var verbose = Run(["work", "--verbose"], Fail);

        Assert.That((plain.Code, verbose.Code), Is.EqualTo((ExitCode.Failure, ExitCode.Failure)));
        Assert.That(plain.Error, Does.StartWith("dino work: internal error: lost the thread").And.Contain("--verbose"));
        Assert.That(plain.Error.Trim(), Does.Not.Contain("\n"));
        Assert.That(verbose.Error, Does.Contain("   at ").And.Contain(nameof(CommandLineTests)));
    }

    [Test]
    public void ErrorsInsideParallelWork_AreUnwrapped()
    {
        var run = Run(["work"], _ => Parallel.For(0, 4, _ => throw new UserErrorException("the disk is full.")));

        Assert.That(run.Error, Is.EqualTo("dino work: the disk is full.\n"));
    }

    [Test]
    public void FileTrouble_IsTheUsersToMend()
    {
        var run = Run(["work"], _ => File.ReadAllText(Path.Combine(TestContext.CurrentContext.WorkDirectory, "no such file")));

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure));
        Assert.That(run.Error, Does.Contain("no such file").And.Not.Contain("internal"));
    }

    [Test]
    public void Interruption_HasItsOwnExitCode()
    {
        using var stop = new CancellationTokenSource();
        var run = Run(["work"], context =>
        {
            stop.Cancel();
            context.Cancel.ThrowIfCancellationRequested();
        }, stop.Token);

        Assert.That((run.Code, run.Error), Is.EqualTo((ExitCode.Interrupted, "dino work: interrupted.\n")));
    }

    [Test]
    public void Json_LeavesStandardOutputToTheResult()
    {
        var run = Run(["work", "--json"], context =>
        {
            context.Say("working");
            context.Result(json => json.WriteNumber("top1", 41.5), text => text.WriteLine("41.5 %"));
        });

        using var document = JsonDocument.Parse(run.Output);
        Assert.That(document.RootElement.GetProperty("top1").GetDouble(), Is.EqualTo(41.5));
        Assert.That(run.Error, Is.EqualTo("working\n"));
    }

    [Test]
    public void WithoutJson_TheResultIsText()
    {
        var run = Run(["work"], context => context.Result(json => json.WriteNumber("top1", 41.5), text => text.WriteLine("41.5 %")));

        Assert.That(run.Output, Is.EqualTo("41.5 %\n"));
    }

    [TestCase("--help")]
    [TestCase("-h")]
    public void Help_OfACommand_ShowsItsOptionsAndExamples(string option)
    {
        var run = Run(["work", option], _ => Assert.Fail("help must not run the command"));

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok));
        Assert.That(run.Output, Does.Contain("--epochs").And.Contain("--json").And.Contain("Examples:")
            .And.Contain("dino work --epochs 3"));
    }

    [Test]
    public void NoWords_ShowTheHelp()
    {
        var run = Run([]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok));
        Assert.That(run.Output, Does.Contain("work").And.Contain("Does some work."));
    }

    [Test]
    public void Version_IsOneLine() => Assert.That(Run(["--version"]).Output.Trim(), Does.Match(@"^\S+$"));

    private static (int Code, string Output, string Error) Run(string[] arguments, Action<CommandContext>? body = null,
        CancellationToken cancel = default)
    {
        var work = new ProgramCommand("work", "Does some work.",
            body ?? (_ => { }))
        { Examples = [("dino work --epochs 3", "Three epochs.")] };
        work.Options.Add(Epochs);
        work.Options.Add(LearningRate);
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        int code = CommandLine.Run(arguments, [work], output, error, cancel);
        return (code, output.ToString(), error.ToString());
    }
}
