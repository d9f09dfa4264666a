using Dino.Pictures.DataSets;
using Dino.Testing.Runs;
using Dino.Train.Evaluation.Features;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

public sealed class LabelledPairTests
{
    [Test]
    public void ClassesOfTwoFolders_AreMatchedByHowTheyLook()
    {
        using PictureFolder folder = new(), other = new();
        folder.WritePicture("caf\u00E9/1.png", 1);
        folder.WritePicture("x/1.png", 2);
        other.WritePicture("x/1.png", 2);
        other.WritePicture("cafe\u0301/1.png", 1);
        var pair = new LabelledPair(ImageFolder.Scan(folder.Root), ImageFolder.Scan(other.Root), "test");

        Assert.That(pair.ValClasses.Select(label => pair.Train.ClassNames[label]), Is.EqualTo(new[] { "caf\u00E9", "x" }));
    }
}
