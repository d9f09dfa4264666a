using System.Text;
using System.Text.Json.Nodes;
using Dino.Cli.Arguments;
using Dino.Cli.Commands;
using Dino.Cli.Tests.Commands;
using Dino.Tensors.Io;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Arguments;

/// <summary>
/// Names that are no UTF-8, on the command line: pictures are found under them, and nothing is written under another name.
/// </summary>
public class RawArgumentsTests
{
    [Test]
    public void ARunKeepsTheirPlace_AsPeopleReadIt()
    {
        using var pictures = TinyRun.MakePictures(8);
        string raw = Path.Combine(pictures.Root, RawName.Of([.. "caf"u8, 0xE9, .. ".txt"u8])), output = Path.Combine(pictures.Root, "run");
        StrangeFiles.WriteRaw(raw, Encoding.UTF8.GetBytes(string.Concat(Directory.EnumerateFiles(pictures.Root, "*",
            SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path => path + "\n"))));
        try
        {
            var trained = DinoProcess.Run(["train", "--data", raw, "--output-dir", output, .. DinoProcess.TinyOptions]);
            Assert.That(trained.Code, Is.EqualTo(ExitCode.Ok), trained.Error);
            var kept = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "args.json")))!;
            Assert.That((string)kept["data"]!, Is.EqualTo(Path.Combine(pictures.Root, "caf\\xE9.txt")));
        }
        finally
        {
            StrangeFiles.DeleteRaw(raw);
        }
    }

    [Test]
    public void PicturesAreFound_AndOutputsAreRefused()
    {
        using var pictures = TinyRun.MakePictures();
        string checkpoint = DinoProcess.Train(pictures, Path.Combine(pictures.Root, "run"));
        string raw = Path.Combine(pictures.Root, RawName.Of([.. "caf"u8, 0xE9, .. ".png"u8])), maps = Path.Combine(pictures.Root, "maps");
        StrangeFiles.WriteRaw(raw, PictureFolder.Encode("a.png", PictureFolder.Pattern(1, 24, 20)));
        try
        {
            var found = DinoProcess.Run("attend", checkpoint, raw, "--device", "cpu", "--output-dir", maps);
            Assert.That(found.Code, Is.EqualTo(ExitCode.Ok), found.Error);
            Assert.That(File.Exists(Path.Combine(maps, "attention.png")));
        }
        finally
        {
            StrangeFiles.DeleteRaw(raw);
        }
        string[] before = [.. Directory.EnumerateFileSystemEntries(pictures.Root)];
        foreach (string[] words in (string[][])[["features", checkpoint, pictures.Root, "--output-dir", raw], ["export", checkpoint, raw]])
        {
            var refused = DinoProcess.Run(words);
            Assert.That(refused.Code, Is.EqualTo(ExitCode.Usage), refused.Error);
            Assert.That(refused.Error, Does.Contain("needs a name in UTF-8, not '").And.Contain("caf\\xE9.png'"));
        }
        Assert.That(Directory.EnumerateFileSystemEntries(pictures.Root), Is.EquivalentTo(before));
    }

    [Test]
    public void Arguments_KeepTheirBytes_AndNamesOfOutputsFit()
    {
        byte[] line = [.. "dotnet\0dino.dll\0attend\0caf"u8, 0xE9, .. ".png\0"u8];
        string[] words = RawArguments.Read(line, ["attend", "caf\uFFFD.png"]);
        Assert.That(words.Select(word => RawName.Shown(word)), Is.EqualTo(new[] { "attend", "caf\\xE9.png" }));
        Assert.That(PictureFiles.NameFor("/a/" + words[1]), Is.EqualTo("caf\\xE9"));
        Assert.That(Encoding.UTF8.GetByteCount(PictureFiles.NameFor(new string('é', 120) + ".png")), Is.LessThanOrEqualTo(160));
        Assert.That(PictureFiles.NameFor("a\nb.png"), Is.EqualTo("a_b"));
    }
}
