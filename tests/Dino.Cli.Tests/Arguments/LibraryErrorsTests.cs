using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Train;
using Dino.Train.Evaluation;
using NUnit.Framework;

namespace Dino.Cli.Tests.Arguments;

public partial class LibraryErrorsTests
{
    [Test]
    public void ErrorsOfLibraries_EndTheProgramWithOneLine_ThatNamesOptions()
    {
        (Exception Error, string Line, int Code)[] cases =
        [
            (new RunException("x is in use.\nGive another `OutputDir`."), "x is in use. Give another --output-dir.", ExitCode.Failure),
            (new EvaluationException("a smaller `Video.Radius` needs less."), "a smaller --size-mask-neighborhood needs less.",
                ExitCode.Failure),
            (new EvaluationException("a smaller `Retrieval.Size`"), "a smaller --imsize", ExitCode.Failure),
            (new EvaluationException("a smaller `Components.Size`"), "a smaller --pca-size", ExitCode.Failure),
            (new EvaluationException("a smaller `Attention.Size`"), "a smaller --size", ExitCode.Failure),
            (new ImageFolderException("none."), "none.", ExitCode.Failure),
            (new UserErrorException("wrong.") { IsUsage = true }, "wrong.", ExitCode.Usage),
            (new FileNotFoundException("no x."), "no x. Check the path, the permissions and the space on the disk.", ExitCode.Failure),
        ];
        foreach (var (error, line, code) in cases)
            Assert.That(LibraryErrors.Of(error), Is.EqualTo((line, code)));
        Assert.That(LibraryErrors.Of(new InvalidOperationException("?")), Is.Null);
    }

    /// <summary>Names that are no property of ours are somebody's words, and stay.</summary>
    [TestCase("`Unheard.Of`", "`Unheard.Of`")]
    [TestCase("`Lr` and `Head.OutDim`", "--lr and --out-dim")]
    public void PropertiesBecomeOptions(string text, string expected) => Assert.That(OptionNames.InText(text), Is.EqualTo(expected));

    /// <summary>Every text of the assembly: none names an option, and each property in backticks has one.</summary>
    [Test]
    public void TextsOfTheTrainingLibrary_NamePropertiesThatHaveOptions()
    {
        using var file = new PEReader(File.OpenRead(typeof(RunException).Assembly.Location));
        var metadata = file.GetMetadataReader();
        int named = 0;
        for (var handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = metadata.GetNextHandle(handle))
        {
            string text = metadata.GetUserString(handle);
            Assert.That(Options().IsMatch(text), Is.False, text);
            foreach (Match property in Properties().Matches(text))
            {
                named++;
                Assert.That(OptionNames.InText(property.Value), Does.StartWith("--"), text);
            }
        }
        Assert.That(named, Is.GreaterThan(20));
    }

    [GeneratedRegex("(?<![-\\w])--[a-z]")]
    private static partial Regex Options();

    [GeneratedRegex("`[A-Z][A-Za-z.]*`")]
    private static partial Regex Properties();
}
