using Dino.Cli.Arguments;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>What cannot work ends in one line that says why, the right exit code, no stack trace, and no harm to what was there.</summary>
public class BadInputTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, checkpoint = null!;

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-commands-").FullName;
        checkpoint = DinoProcess.Train(pictures, Path.Combine(scratch, "run"));
        Directory.CreateDirectory(Path.Combine(scratch, "empty"));
        Directory.CreateDirectory(Path.Combine(scratch, "garbage"));
        File.WriteAllText(Path.Combine(scratch, "garbage", "a.jpg"), "no picture");
        File.WriteAllText(Path.Combine(scratch, "file"), "a file");
        byte[] bytes = File.ReadAllBytes(checkpoint);
        File.WriteAllBytes(Path.Combine(scratch, "truncated.safetensors"), bytes[..(bytes.Length / 2)]);
        File.WriteAllBytes(Path.Combine(scratch, "short.safetensors"), bytes[..5]);
        File.WriteAllText(Path.Combine(scratch, "garbage.safetensors"), "these are not the weights that you look for");
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [TestCase("--data {scratch}/missing", ExitCode.Failure, "missing' does not exist")]
    [TestCase("--data {scratch}/empty", ExitCode.Failure, "holds no picture")]
    [TestCase("--data {scratch}/file", ExitCode.Failure, "is a file")]
    [TestCase("--output-dir {scratch}/file/below", ExitCode.Failure, "{scratch}/file")]
    [TestCase("--val {scratch}/missing", ExitCode.Failure, "missing' does not exist")]
    [TestCase("--frobnicate 3", ExitCode.Usage, "unknown option '--frobnicate'")]
    [TestCase("--out-dim 0", ExitCode.Usage, "prototypes")]
    [TestCase("--epochs 0", ExitCode.Usage, "--epochs")]
    [TestCase("--epochs -1", ExitCode.Usage, "--epochs")]
    [TestCase("--batch-size 0", ExitCode.Usage, "--batch-size")]
    [TestCase("--batch-size 2000000000 --accumulate 2000000000", ExitCode.Usage, "--accumulate")]
    [TestCase("--batch-size 25", ExitCode.Failure, "smaller --batch-size")]
    [TestCase("--accumulate 7", ExitCode.Failure, "24 pictures, fewer than the 28")]
    [TestCase("--student-temp 0", ExitCode.Usage, "--student-temp")]
    [TestCase("--lr NaN", ExitCode.Usage, "--lr")]
    [TestCase("--lr Infinity", ExitCode.Usage, "--lr")]
    [TestCase("--drop-path-rate NaN", ExitCode.Usage, "--drop-path-rate")]
    [TestCase("--drop-path-rate 1", ExitCode.Usage, "drop-path rate")]
    [TestCase("--momentum-teacher 1.5", ExitCode.Usage, "--momentum-teacher")]
    [TestCase("--warmup-epochs 3", ExitCode.Usage, "--warmup-epochs")]
    [TestCase("--num-heads 3", ExitCode.Usage, "heads")]
    [TestCase("--arch vit_huge", ExitCode.Usage, "vit_tiny, vit_small, vit_base")]
    [TestCase("--global-crops-size 100000", ExitCode.Usage, "100000")]
    [TestCase("--global-crops-size 26000 --batch-size 24", ExitCode.Failure, "smaller --batch-size")]
    [TestCase("--global-crops-size 7", ExitCode.Usage, "patch of 8")]
    [TestCase("--out-dim 2000000000", ExitCode.Failure, "2000000000")]
    [TestCase("--depth 30000 --embed-dim 600", ExitCode.Failure, "smaller")]
    [TestCase("--global-crops-scale 0.9 0.1", ExitCode.Usage, "scale")]
    [TestCase("--saveckp-freq 0", ExitCode.Usage, "--saveckp-freq")]
    [TestCase("--num-workers -1", ExitCode.Usage, "--num-workers")]
    [TestCase("--cache-mb -1", ExitCode.Usage, "--cache-mb")]
    [TestCase("--max-minutes -1", ExitCode.Usage, "--max-minutes")]
    [TestCase("--threads -1", ExitCode.Usage, "--threads")]
    [TestCase("--memory-mb -1", ExitCode.Usage, "--memory-mb")]
    [TestCase("--augment device", ExitCode.Usage, "--augment device needs an accelerator")]
    [TestCase("--augment elsewhere", ExitCode.Usage, "--augment needs one of host, device")]
    [TestCase("--device nonsense", ExitCode.Usage, "'nonsense' is not a device")]
    [TestCase("--device cuda:99", ExitCode.Failure, "no device cuda:99")]
    [TestCase("--precision fp8", ExitCode.Usage, "--precision")]
    [TestCase("--blas other", ExitCode.Usage, "--blas")]
    [TestCase("--device cpu --blas vendor", ExitCode.Failure, "cuBLAS, on cuda:N")]
    [TestCase("--epochs many", ExitCode.Usage, "--epochs needs a whole number")]
    public void Train(string options, int code, string expected)
    {
        string[] words = Words(options);
        string output = Path.Combine(scratch, "train-" + TestContext.CurrentContext.Test.ID);
        string[] given = ["--data", pictures.Root, "--output-dir", output, .. DinoProcess.TinyOptions];
        var run = DinoProcess.Run(["train", .. Without(given, words), .. words]);

        AssertOneLine(run, code, expected, "dino train: ");
        Assert.That(Directory.Exists(output) && Directory.EnumerateFiles(output, "*.safetensors").Any(), Is.False);
    }

    [Test]
    public void Train_WithoutOneReadablePicture_Fails()
    {
        var run = DinoProcess.Run(
            ["train", "--data", Path.Combine(scratch, "garbage"), "--output-dir", Path.Combine(scratch, "none"),
                .. Without(DinoProcess.TinyOptions, ["--batch-size"]), "--batch-size", "1"]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure));
        string[] lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(2), run.Error);
        Assert.That(lines[0], Does.StartWith("skipped ").And.Contain("a.jpg: "));
        Assert.That(lines[1], Does.StartWith("dino train: ").And.Contain("no readable picture"));
    }

    [Test]
    public void Train_OverADamagedCheckpoint_IsRefused_AndTheFileKept()
    {
        string output = Path.Combine(scratch, "damaged");
        Directory.CreateDirectory(output);
        File.Copy(Path.Combine(scratch, "truncated.safetensors"), Path.Combine(output, "latest.safetensors"));
        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", output, .. DinoProcess.TinyOptions]);

        AssertOneLine(run, ExitCode.Failure, "cannot be read as a checkpoint", "dino train: ");
        Assert.That(
            File.ReadAllBytes(Path.Combine(output, "latest.safetensors")),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(scratch, "truncated.safetensors"))));
    }

    [TestCase("{scratch}/garbage.safetensors", "", ExitCode.Failure, "cannot be read as a checkpoint")]
    [TestCase("{scratch}/truncated.safetensors", "", ExitCode.Failure, "cannot be read as a checkpoint")]
    [TestCase("{scratch}/short.safetensors", "", ExitCode.Failure, "cannot be read as a checkpoint")]
    [TestCase("{scratch}/missing.safetensors", "", ExitCode.Failure, "no checkpoint")]
    [TestCase("{scratch}/empty", "", ExitCode.Failure, "{scratch}/empty")]
    [TestCase("{checkpoint}", "--train {scratch}/missing", ExitCode.Failure, "does not exist")]
    [TestCase("{checkpoint}", "--val {scratch}/garbage", ExitCode.Failure, "class folders")]
    [TestCase("{checkpoint}", "--batch-size 0", ExitCode.Usage, "--batch-size")]
    [TestCase("{checkpoint}", "--nb-knn 0", ExitCode.Usage, "neighbours")]
    [TestCase("{checkpoint}", "--temperature 0", ExitCode.Usage, "temperature")]
    [TestCase("{checkpoint}", "--size -1", ExitCode.Usage, "--size")]
    [TestCase("{checkpoint}", "--size 4", ExitCode.Failure, "4")]
    [TestCase("{checkpoint}", "--size 8000 --batch-size 100", ExitCode.Failure, "smaller batch")]
    [TestCase("{checkpoint}", "--device nonsense", ExitCode.Usage, "'nonsense' is not a device")]
    public void Knn(string file, string options, int code, string expected)
    {
        string[] words = Words(options);
        string[] given = ["--train", pictures.Root, "--val", pictures.Root, "--device", "cpu", "--threads", "1"];
        AssertOneLine(DinoProcess.Run(["eval", "knn", Fill(file), .. Without(given, words), .. words]), code, expected, "dino eval knn: ");
    }

    [TestCase("{scratch}/garbage.safetensors", "{pictures}", "", ExitCode.Failure, "cannot be read as a checkpoint")]
    [TestCase("{scratch}/truncated.safetensors", "{pictures}", "", ExitCode.Failure, "cannot be read as a checkpoint")]
    [TestCase("{checkpoint}", "{scratch}/missing.jpg", "", ExitCode.Failure, "no picture or folder")]
    [TestCase("{checkpoint}", "{scratch}/garbage/a.jpg", "", ExitCode.Failure, "a.jpg")]
    [TestCase("{checkpoint}", "{scratch}/empty", "", ExitCode.Failure, "holds no picture")]
    [TestCase("{checkpoint}", "{pictures}", "--threshold 0", ExitCode.Usage, "--threshold")]
    [TestCase("{checkpoint}", "{pictures}", "--size 4", ExitCode.Usage, "--size 4 is smaller")]
    [TestCase("{checkpoint}", "{pictures}", "--size 100000", ExitCode.Usage, "--size")]
    [TestCase("{checkpoint}", "{pictures}", "--limit 0", ExitCode.Usage, "--limit")]
    [TestCase("{checkpoint}", "{pictures}", "--video --fps 60", ExitCode.Usage, "between 0.002 and 50 for a GIF")]
    [TestCase("{checkpoint}", "{pictures}", "--video --fps 1e-9", ExitCode.Usage, "between 0.002 and 50 for a GIF")]
    [TestCase("{checkpoint}", "{pictures}", "--output-dir {scratch}/file/below", ExitCode.Failure, "{scratch}/file")]
    [TestCase("{checkpoint}", "{pictures}", "--device nonsense", ExitCode.Usage, "'nonsense' is not a device")]
    public void Attend(string file, string picture, string options, int code, string expected)
    {
        string[] words = Words(options);
        string[] given = ["--output-dir", Path.Combine(scratch, "maps"), "--device", "cpu", "--threads", "1", "--limit", "1"];
        AssertOneLine(DinoProcess.Run(["attend", Fill(file), Fill(picture), .. Without(given, words), .. words]), code, expected,
            "dino attend: ");
    }

    [Test]
    public void KnnAndAttend_WorkOnTheCheckpointThatTheOthersAreMadeFrom()
    {
        var knn = DinoProcess.Run("eval", "knn", checkpoint, "--train", pictures.Root, "--val", pictures.Root, "--device", "cpu",
            "--nb-knn", "3");
        var attend = DinoProcess.Run(
            "attend", checkpoint, pictures.Root, "--device", "cpu", "--limit", "1", "--output-dir", Path.Combine(scratch, "maps"));

        Assert.That((knn.Code, attend.Code), Is.EqualTo((ExitCode.Ok, ExitCode.Ok)), knn.Error + attend.Error);
    }

    private void AssertOneLine((int Code, string Output, string Error) run, int code, string expected, string start)
    {
        Assert.That(run.Code, Is.EqualTo(code), run.Error);
        Assert.That(run.Error, Does.StartWith(start).And.Contain(Fill(expected)));
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n').And.Not.Contain("internal error").And.Not.Contain("   at "));
    }

    private string[] Words(string options) => [.. options.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Fill)];

    private string Fill(string text) =>
        text.Replace("{scratch}", scratch, StringComparison.Ordinal).Replace("{checkpoint}", checkpoint, StringComparison.Ordinal)
            .Replace("{pictures}", pictures.Root, StringComparison.Ordinal);

    /// <summary>The pairs of option and value, without those that are given anew.</summary>
    private static IEnumerable<string> Without(string[] pairs, string[] anew) =>
        pairs.Chunk(2).Where(pair => !anew.Contains(pair[0])).SelectMany(pair => pair);
}
