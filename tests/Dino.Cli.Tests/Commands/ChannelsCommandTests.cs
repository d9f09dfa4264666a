using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Model;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>Networks of one channel, of four and of another number, from training to export.</summary>
public class ChannelsCommandTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, grey = null!;

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-channels-").FullName;
        grey = DinoProcess.Train(pictures, Path.Combine(scratch, "grey"), "--channels", "1");
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [Test]
    public void AGreyRun_GoesFromTrainingToExport()
    {
        using (var file = SafetensorsFile.Read(grey))
            Assert.That(file.Shape("teacher.backbone.patch_embed.proj.weight"), Is.EqualTo(new long[] { 16, 1, 8, 8 }));
        string[] again = ["train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "grey"), .. DinoProcess.TinyOptions];
        foreach (string[] line in (string[][])
        [
            [.. again, "--channels", "1"],
            ["eval", "knn", grey, "--train", pictures.Root, "--val", pictures.Root, "--nb-knn", "1", "--device", "cpu"],
            ["eval", "linear", grey, "--train", pictures.Root, "--val", pictures.Root, "--epochs", "1", "--lr", "0.1", "--device", "cpu"],
            ["attend", grey, pictures.Root, "--limit", "2", "--device", "cpu", "--output-dir", Path.Combine(scratch, "maps")],
            ["features", grey, pictures.Root, "--pca", "1", "--device", "cpu", "--output-dir", Path.Combine(scratch, "features")],
            ["export", grey, Path.Combine(scratch, "grey.onnx"), "--format", "onnx"],
            ["export", grey, Path.Combine(scratch, "grey-hf"), "--format", "hf"],
            ["train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "on"), "--init", grey, "--epochs", "1",
                "--batch-size", "4", "--device", "cpu", "--warmup-epochs", "0"],
        ])
        {
            var run = DinoProcess.Run(line);
            Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), $"{string.Join(' ', line)}: {run.Error}");
            Assert.That(run.Output.Contains("--channels 1: those of the network", StringComparison.Ordinal),
                Is.EqualTo(line.Contains("--init")));
        }
        Assert.That(Inspect(grey).GetProperty("backbone").GetProperty("channels").GetInt32(), Is.EqualTo(1));
        Assert.That(DinoProcess.Run(again).Error, Does.Contain("hannels"), "another number of channels is another run");
    }

    [Test]
    public void AGreyNetwork_SeesTheSameInAPictureAndItsGrey()
    {
        using var set = new PictureFolder();
        var picture = PictureFolder.Pattern(4, 40, 30);
        set.Write("colour/a.png", PictureFolder.Encode("a.png", picture));
        Grayscale.Apply(picture);
        set.Write("grey/a.png", PictureFolder.Encode("a.png", picture));

        Assert.That(Features(grey, set.PathOf("colour")), Is.EqualTo(Features(grey, set.PathOf("grey"))).And.Not.All.EqualTo(0));
    }

    [Test]
    public void ANetworkOfFourChannels_SeesOpacity_AndWithoutOneOpaquePictures()
    {
        string file = Network(4);
        using var set = new PictureFolder();
        var picture = RgbaPictures.Rgba(24, 20);
        RgbaPictures.WriteRgba(set.PathOf("some/a.png"), picture);
        picture.Opacity!.Pixels.Fill(255);
        RgbaPictures.WriteRgba(set.PathOf("full/a.png"), picture);
        picture.Opacity = null;
        set.Write("none/a.png", PictureFolder.Encode("a.png", picture));

        float[] full = Features(file, set.PathOf("full"));
        Assert.That(Features(file, set.PathOf("none")), Is.EqualTo(full));
        Assert.That(Features(file, set.PathOf("some")), Is.Not.EqualTo(full));
        Assert.That(DinoProcess.Run("attend", file, set.PathOf("some"), "--num-heads", "2", "--device", "cpu", "--output-dir",
            Path.Combine(scratch, "four")).Code, Is.EqualTo(ExitCode.Ok));
    }

    [Test]
    public void ANetworkOfAnotherNumber_IsInspectedAndExported_ButSeesNoPicture()
    {
        string file = Network(6);
        Assert.That(Inspect(file).GetProperty("backbone").GetProperty("channels").GetInt32(), Is.EqualTo(6));
        Assert.That(DinoProcess.Run("export", file, Path.Combine(scratch, "six.onnx"), "--format", "onnx", "--num-heads", "2").Code,
            Is.EqualTo(ExitCode.Ok));
        foreach (string[] line in (string[][])[["features", file, pictures.Root], ["attend", file, pictures.Root],
            ["eval", "knn", file, "--train", pictures.Root, "--val", pictures.Root]])
            AssertOneLine(ExitCode.Failure, "is a network for 6 channels", [.. line, "--num-heads", "2", "--device", "cpu"]);
    }

    [Test]
    public void TrainRefusesWhatItCannotDo()
    {
        string[] train = ["train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "none"), .. DinoProcess.TinyOptions];
        foreach (string count in (string[])["0", "-1", "2000"])
            AssertOneLine(ExitCode.Usage, "--channels must", [.. train, "--channels", count]);
        AssertOneLine(ExitCode.Failure, "holds no readable picture", [.. train, "--channels", "2"]);
        AssertOneLine(ExitCode.Usage, "--augment device makes crops of 3 channels", [.. train, "--channels", "1", "--augment", "device"]);
        AssertOneLine(ExitCode.Failure, "patch_embed.proj.weight", [.. train, "--channels", "3", "--init", grey]);
    }

    private static void AssertOneLine(int code, string expected, params string[] line)
    {
        var run = DinoProcess.Run(line);
        Assert.That(run.Code, Is.EqualTo(code), run.Error);
        Assert.That(run.Error, Does.Contain(expected).And.Not.Contain("internal error"));
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n'));
    }

    // Of our own checkpoint the number of heads is known.
    private string[] Heads(string network) => network == grey ? [] : ["--num-heads", "2"];

    private float[] Features(string network, string folder)
    {
        string output = Path.Combine(scratch, Guid.NewGuid().ToString("N"));
        var run = DinoProcess.Run(["features", network, folder, "--device", "cpu", "--output-dir", output, .. Heads(network)]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        byte[] bytes = File.ReadAllBytes(Path.Combine(output, "features.npy"));
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan(NpyFile.HeaderLength)).ToArray();
    }

    private static JsonElement Inspect(string file) =>
        JsonDocument.Parse(DinoProcess.Run("inspect", file, "--json", "--num-heads", "2").Output).RootElement;

    /// <summary>A file of a network with random weights.</summary>
    private string Network(int channels)
    {
        using var device = Device.Open("cpu");
        var backbone = new VisionTransformer(new ViTConfig
        {
            ImageSize = 16,
            Patch = 8,
            Dim = 128,
            Depth = 1,
            Heads = 2,
            Channels = channels
        });
        using var parameters = new FlatParameters(backbone, device, trainable: false);
        parameters.Initialize(5);
        string path = Path.Combine(scratch, $"network{channels}.safetensors");
        SafetensorsFile.Write(path, [.. parameters.Save().Select(tensor => tensor.ToEntry(""))], new Dictionary<string, string>());
        return path;
    }
}
