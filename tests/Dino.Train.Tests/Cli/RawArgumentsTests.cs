using Dino.Tensors.Io;
using Dino.Train.Cli;
using Dino.Train.Tests.Commands;
using Dino.Train.Tests.Data;
using Dino.Train.Tests.Training;
using NUnit.Framework;

namespace Dino.Train.Tests.Cli;

/// <summary>Names that are no UTF-8, on the command line: pictures are found under them, and nothing is written under another name.</summary>
public class RawArgumentsTests
{
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
}
