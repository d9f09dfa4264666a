using Dino.Cli.Arguments;
using Dino.Tensors.Io;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>A folder as a checkpoint, and the number of heads along exports.</summary>
public class CheckpointPathTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, run = null!, checkpoint = null!;

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-folders-").FullName;
        run = Path.Combine(scratch, "run");
        checkpoint = DinoProcess.Train(pictures, run);
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [Test]
    public void AFolder_StandsForTheCheckpointInIt()
    {
        string hf = Path.Combine(scratch, "hf"), bin = Path.Combine(scratch, "bin");
        Ok("export", run, hf, "--format", "hf");
        Directory.CreateDirectory(bin);
        Ok("export", run + "/", Path.Combine(bin, "pytorch_model.bin"), "--format", "pth");
        foreach (string folder in (string[])[run, hf, bin])
        {
            Assert.That(Ok("inspect", folder), Does.Contain("2 heads").And.Contain(Path.GetFileName(folder)), folder);
            Ok("features", folder, pictures.Root, "--output-dir", Path.Combine(scratch, "out-" + Path.GetFileName(folder)), "--device",
                "cpu");
            Ok("attend", folder, pictures.Root, "--device", "cpu", "--limit", "1", "--output-dir", Path.Combine(scratch, "maps"));
            Ok("eval", "knn", folder, "--train", pictures.Root, "--val", pictures.Root, "--device", "cpu", "--nb-knn", "3");
            Ok("train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "init"), "--init", folder, "--device", "cpu",
                "--plan", "--batch-size", "4", "--local-crops-number", "0");
        }
    }

    [TestCase("", "it is empty")]
    [TestCase("notes.txt", "in it is notes.txt")]
    [TestCase("a.pth b.pth notes.txt", "in it are a.pth, b.pth")]
    [TestCase("model-00001-of-00002.safetensors model.safetensors.index.json", "in parts (model.safetensors.index.json)")]
    public void AnotherFolder_IsOneLineOfWhatIsInIt(string files, string words)
    {
        string folder = Directory.CreateDirectory(Path.Combine(scratch, Guid.NewGuid().ToString("n"))).FullName;
        foreach (string name in files.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            File.WriteAllText(Path.Combine(folder, name), "");
        foreach (string[] command in (string[][])
            [
                ["inspect", folder], ["features", folder, pictures.Root, "--output-dir", Path.Combine(scratch, "out"), "--device", "cpu"],
                    ["export", folder, Path.Combine(scratch, "x.pth"), "--format", "pth"],
                ["attend", folder, pictures.Root, "--device", "cpu"],
                    ["eval", "knn", folder, "--train", pictures.Root, "--val", pictures.Root, "--device", "cpu"],
                ["train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "none"), "--init", folder, "--device", "cpu"],
            ])
        {
            var refused = DinoProcess.Run(command);
            Assert.That(refused.Code, Is.EqualTo(ExitCode.Failure), $"{command[0]}: {refused.Error}");
            Assert.That(refused.Error.TrimEnd('\n'), Does.Contain(folder).And.Contain(words).And.Not.Contain('\n'), command[0]);
        }
    }

    [TestCase("pth", "h.pth")]
    [TestCase("official", "h.safetensors")]
    [TestCase("timm", "t.safetensors")]
    [TestCase("hf", "h")]
    public void Exports_KeepTheNumberOfHeads_AndAnotherIsRefused(string format, string name)
    {
        string path = Path.Combine(scratch, "heads-" + name);
        Ok("export", checkpoint, path, "--format", format);

        Assert.That(Ok("inspect", path), Does.Contain("2 heads"));
        foreach (string file in (string[])[path, checkpoint])
        {
            var refused = DinoProcess.Run("inspect", file, "--num-heads", "4");
            Assert.That(refused.Code, Is.EqualTo(ExitCode.Usage), refused.Output);
            Assert.That(refused.Error, Does.Contain("--num-heads 4").And.Contain("2 heads"));
            Assert.That(DinoProcess.Run("export", file, path + ".2", "--format", "official", "--num-heads", "4").Code,
                Is.EqualTo(ExitCode.Usage));
            Assert.That(DinoProcess.Run("train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "h"), "--init", file,
                "--num-heads", "4", "--device", "cpu", "--plan").Code, Is.EqualTo(ExitCode.Usage));
            Assert.That(DinoProcess.Run("inspect", file, "--num-heads", "2").Code, Is.EqualTo(ExitCode.Ok));
        }
    }

    [Test]
    public void TheCheckpointItself_IsNotReplacedByItsExport()
    {
        byte[] before = File.ReadAllBytes(checkpoint);
        string link = Path.Combine(scratch, "link.safetensors");
        File.CreateSymbolicLink(link, checkpoint);
        foreach (string[] command in (string[][])[["export", checkpoint, checkpoint], ["export", run, checkpoint], ["export", run, link]])
        {
            var refused = DinoProcess.Run([.. command, "--force"]);
            Assert.That((refused.Code, refused.Error),
                Is.EqualTo((ExitCode.Usage, $"dino export: {command[2]} is the CHECKPOINT itself: give another OUTPUT.\n")));
        }
        Assert.That(File.ReadAllBytes(checkpoint), Is.EqualTo(before));
    }

    [Test]
    public void AnAssumedNumberOfHeads_IsSaid_AndNotWrittenDownAsKnown()
    {
        string path = Path.Combine(scratch, "wide.pth"), copy = Path.Combine(scratch, "wide.safetensors");
        var config = new Dino.Model.ViTConfig { ImageSize = 16, Patch = 8, Dim = 192, Depth = 1, Heads = 3 };
        var vit = new Dino.Model.VisionTransformer(config);
        var sizes = vit.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Shape.Count);
        PyTorchFile.Write(path, Dino.Model.Weights.WeightsExport.Official(config, tensor => new float[sizes[tensor]]));

        var run = DinoProcess.Run("export", path, copy, "--format", "official");
        Assert.That((run.Code, run.Error), Is.EqualTo((ExitCode.Ok, run.Error)));
        Assert.That(run.Error, Does.Contain("3 are assumed").And.Contain("--num-heads"));
        Assert.That(DinoProcess.Run("inspect", copy).Error, Does.Contain("3 are assumed"), "the copy does not state a guess");
        Assert.That(DinoProcess.Run("inspect", copy, "--num-heads", "3").Error, Is.Empty);
    }

    private static string Ok(params string[] command)
    {
        var run = DinoProcess.Run(command);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), $"{string.Join(' ', command)}: {run.Error}");
        return run.Output;
    }
}
