using System.Security.Cryptography;
using System.Text;
using Dino.Pictures.DataSets;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>A share of the pictures is held out by their names.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SplitTests : IDisposable
{
    private readonly PictureFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Test]
    public void ThePartsAreTheWhole_AndByTheHashOfTheNames()
    {
        Write("cat", 100);
        Write("dog", 100);
        var all = ImageFolder.Scan(folder.Root);
        var (train, val) = all.Split(0.3);

        Assert.That(Names(train).Concat(Names(val)).Order(StringComparer.Ordinal), Is.EqualTo(Names(all)));
        Assert.That(Names(val), Is.EqualTo(Names(all).Where(name =>
            SHA256.HashData(Encoding.UTF8.GetBytes(name))[0] < 0.3 * 256 - 1 || SHA256.HashData(Encoding.UTF8.GetBytes(name))[0] == 76
            && SHA256.HashData(Encoding.UTF8.GetBytes(name))[1] < 205)));
        Assert.That(val.Count, Is.InRange(40, 80));
        Assert.That(val.ClassNames, Is.EqualTo(train.ClassNames).And.EqualTo(all.ClassNames));
        for (int i = 0; i < val.Count; i++)
            Assert.That(val.ClassNames[val.LabelOf(i)], Is.EqualTo(val.RelativePathOf(i).Split('/')[0]));
        using var input = val.Open(0);
        Assert.That(input.Length, Is.EqualTo(val.StampOf(0).Length));
    }

    [Test]
    public void PicturesThatAreAdded_MoveNoOther()
    {
        Write("cat", 60);
        string[] before = Names(ImageFolder.Scan(folder.Root).Split(0.25).Val);
        Write("cat", 120);
        Write("dog", 60);

        Assert.That(Names(ImageFolder.Scan(folder.Root).Split(0.25).Val), Is.SupersetOf(before));
    }

    [Test]
    public void AnotherFolderBesideIt_MovesNoPicture()
    {
        Write("cat", 60);
        using var other = new PictureFolder();
        other.Write("dog/1.jpg", [0]);
        string[] alone = Files(ImageFolder.Scan(folder.Root).Split(0.25).Val);

        var both = ImageFolder.Scan([folder.Root, other.Root], new ImageFolderOptions());
        Assert.That(Files(both.Split(0.25).Val).Where(name => name.StartsWith("cat/", StringComparison.Ordinal)), Is.EqualTo(alone));
    }

    [TestCase(0.01)]
    [TestCase(0.99)]
    public void EachClass_IsOnBothSides_UnlessItHasOnePicture(double share)
    {
        foreach (string name in new[] { "a", "b", "c" })
            Write(name, 3);
        Write("single", 1);
        var (train, val) = ImageFolder.Scan(folder.Root).Split(share);

        Assert.That(Classes(train), Is.EqualTo(new[] { "a", "b", "c", "single" }));
        Assert.That(Classes(val), Is.EqualTo(new[] { "a", "b", "c" }));
        Assert.That(val.Remarks.Single(), Is.EqualTo("1 classes have a single picture, and none to be held out: single"));
    }

    [Test]
    public void WithoutAPictureToSpare_ItIsRefused()
    {
        Write("a", 1);
        Write("b", 1);
        Assert.That(() => ImageFolder.Scan(folder.Root).Split(0.5), Throws.TypeOf<ImageFolderException>());
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(-0.1)]
    [TestCase(double.NaN)]
    public void WhatIsNoShare_IsRefused(double share)
    {
        Write("a", 2);
        Assert.That(() => ImageFolder.Scan(folder.Root).Split(share), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private void Write(string name, int count)
    {
        for (int i = 0; i < count; i++)
            folder.Write($"{name}/{i}.jpg", [0]);
    }

    private static string[] Files(ImageFolder found) => [.. Enumerable.Range(0, found.Count).Select(found.FileNameOf)];

    private static string[] Names(ImageFolder found) => [.. Enumerable.Range(0, found.Count).Select(found.RelativePathOf)];

    private static string[] Classes(ImageFolder found) =>
        [.. Enumerable.Range(0, found.Count).Select(i => found.ClassNames[found.LabelOf(i)]).Distinct()];
}
