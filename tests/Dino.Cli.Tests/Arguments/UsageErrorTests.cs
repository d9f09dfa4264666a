using Dino.Cli.Arguments;
using Dino.Cli.Tests.Commands;
using NUnit.Framework;

namespace Dino.Cli.Tests.Arguments;

/// <summary>A wrong command line gets one line that names the option and says what to type.</summary>
public class UsageErrorTests
{
    [TestCase("train --preset huge", "--preset needs one of paper, small, adapt, not 'huge'.")]
    [TestCase("export a b --format tar", "--format needs one of official, timm, pth, hf, onnx, not 'tar'.")]
    [TestCase("train --precision 1", "--precision needs one of fp32, tf32, bf16, not '1'.")]
    [TestCase("train --precision fp32,tf32", "--precision needs one of fp32, tf32, bf16, not 'fp32,tf32'.")]
    [TestCase("train --optimizer 7", "--optimizer needs one of adamw, sgd, lars, not '7'.")]
    [TestCase("train --data", "--data needs a value.")]
    [TestCase("train --data --epochs 3", "unexpected argument '3'.")]
    [TestCase("train --data=", "--data needs a value")]
    [TestCase("train --epochs 2 --epochs 3", "--epochs was given 2 times (2, 3): give it once.")]
    [TestCase("train --lr 0.1 --lr 0.2", "--lr was given 2 times (0.1, 0.2): give it once.")]
    [TestCase("train --global-crops-scale 0.1 --data x", "--global-crops-scale needs 2 values, not 1.")]
    [TestCase("train --data x --arch vit_large", "--arch needs one of vit_tiny, vit_small, vit_base, not 'vit_large'.")]
    [TestCase("train --seed -1", "--seed needs a whole number of at least 0, not '-1'")]
    [TestCase("train --lr -0,5", "--lr needs a number, not '-0,5': write -0.5.")]
    [TestCase("train --recompute 1 --data x", "unexpected argument '1'.")]
    [TestCase("train --dta x", "unknown option '--dta'. Did you mean '--data'?")]
    [TestCase("train --lr=0.1 --epoch 3", "unknown option '--epoch'. Did you mean '--epochs'?")]
    [TestCase("eval", "a command is missing: one of knn, linear, segment, video, retrieve, copy.")]
    [TestCase("inspect", "<FILE> is missing.")]
    [TestCase("eval knn x --train a", "--val")]
    public void ItSaysWhatToType(string words, string reason)
    {
        var run = DinoProcess.Run(words.Split(' '));

        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage), run.Error);
        Assert.That(run.Error, Does.Contain(reason).And.EndsWith("--help'.\n"));
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n'));
        Assert.That(run.Output, Is.Empty);
    }

    [TestCase("")]
    [TestCase("  ")]
    [TestCase("\t")]
    public void AnEmptyValue_IsRefused_WhereverAValueIsTaken(string word)
    {
        foreach (string[] words in (string[][])[["train", "--data", word], ["train", "--data", "x", "--output-dir", word],
            ["train", "--arch", word], ["inspect", word], ["attend", "x", word], ["features", "x", "y", "--device", word]])
        {
            var run = DinoProcess.Run(words);
            Assert.That(run.Code, Is.EqualTo(ExitCode.Usage), run.Error);
            Assert.That(run.Error, Does.Contain("needs a value, not "), string.Join(' ', words));
        }
    }

    [TestCase("inspect", "@missing")]
    [TestCase("train", "--data", "@missing")]
    public void AnAt_BeforeAName_BelongsToTheName(params string[] words)
    {
        var run = DinoProcess.Run(words);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure), run.Error);
        Assert.That(run.Error, Does.Contain("@missing").And.Not.Contain("esponse file"));
    }

    [Test]
    public void AFileOfThatName_IsNotReadAsWords()
    {
        string folder = Directory.CreateTempSubdirectory("dino-at-").FullName, name = "@" + Path.Combine(folder, "words");
        File.WriteAllText(name[1..], "--help");
        try
        {
            var run = DinoProcess.Run("inspect", name);
            Assert.That((run.Code, run.Output), Is.EqualTo((ExitCode.Failure, "")), run.Error);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void ALineIsNoLongerThanAScreen_AndKeepsItsBeginningAndEnd(
        [Values("train --data {0}", "train --epochs {0}", "train --{0}", "inspect {0}", "{0}")] string words)
    {
        foreach (int length in (int[])[300, 5_000, 200_000])
        {
            var run = DinoProcess.Run(string.Format(System.Globalization.CultureInfo.InvariantCulture, words, new string('x', length))
                .Split(' '));
            Assert.That(run.Code, Is.Not.Zero);
            Assert.That(run.Error, Has.Length.LessThanOrEqualTo(1501).And.StartsWith("dino").And.EndsWith("\n"));
            Assert.That(run.Error, Does.Not.Contain("internal"));
        }
    }
}
