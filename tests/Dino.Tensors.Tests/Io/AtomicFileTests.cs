using System.Runtime.Versioning;
using System.Text;
using Dino.Tensors.Io;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Io;

/// <summary>A file is the old one or the whole new one, and nothing else is touched or left.</summary>
[Platform("Linux,MacOsX")]
[UnsupportedOSPlatform("windows")]
public class AtomicFileTests
{
    private string folder = null!, path = null!, temporary = null!;

    [SetUp]
    public void MakeFolder()
    {
        folder = Directory.CreateTempSubdirectory("dino-atomic-").FullName;
        (path, temporary) = (Path.Combine(folder, "a.bin"), Path.Combine(folder, ".a.bin.tmp"));
    }

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void ALinkInPlaceOfTheTemporaryFile_IsNotFollowed()
    {
        string victim = Path.Combine(folder, "victim");
        File.WriteAllText(victim, "precious");
        File.CreateSymbolicLink(temporary, victim);

        Write("new");

        Assert.That((File.ReadAllText(victim), File.ReadAllText(path)), Is.EqualTo(("precious", "new")));
        Assert.That(Names(), Is.EqualTo(["a.bin", "victim"]));
    }

    [Test]
    public void WhatAKilledProcessLeft_IsReplaced()
    {
        File.WriteAllText(temporary, "half");

        Write("new");

        Assert.That(File.ReadAllText(path), Is.EqualTo("new"));
        Assert.That(Names(), Is.EqualTo(["a.bin"]));
    }

    [Test]
    public void ASecondWriter_Fails_AndTheFirstGoesOn()
    {
        AtomicFile.Write(path, stream =>
        {
            Assert.That(() => Write("second"), Throws.TypeOf<IOException>().With.Message.Contains("written by another process"));
            stream.Write("first"u8);
        });

        Assert.That(File.ReadAllText(path), Is.EqualTo("first"));
    }

    [Test]
    public void AFailure_KeepsTheOldFile_LeavesNothing_AndIsToldInOneLine()
    {
        Write("old");
        Directory.CreateDirectory(Path.Combine(folder, "taken/full"));

        Assert.That(() => AtomicFile.Write(path, stream => throw new InvalidDataException("no")), Throws.TypeOf<InvalidDataException>());
        Assert.That(
            () => AtomicFile.Write(Path.Combine(folder, "taken"), stream => stream.Write("x"u8)),
            Throws.InstanceOf<IOException>().With.Message.StartsWith(Path.Combine(folder, "taken") + " cannot be written: ")
                .And.Message.Not.Contain(".tmp"));

        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(Names(), Is.EqualTo(["a.bin", "taken"]));
    }

    [Test]
    public void ANameOfTheGreatestLength_CanBeWritten()
    {
        string longest = Path.Combine(folder, new string('ä', 125) + "12345"); // 255 bytes

        AtomicFile.Write(longest, stream => stream.Write("x"u8));

        Assert.That(Directory.GetFiles(folder), Is.EqualTo([longest]));
    }

    [Test]
    public void Leftovers_AreRemoved_ButOnlyOnesOwn()
    {
        string other = Path.Combine(folder, ".notes.tmp"), link = Path.Combine(folder, ".b.bin.tmp");
        File.WriteAllText(temporary, "half");
        File.WriteAllText(other, "somebody's");
        File.CreateSymbolicLink(link, other);

        AtomicFile.RemoveLeftovers(folder, name => name is "a.bin" or "b.bin");

        Assert.That(Names(), Is.EqualTo([".b.bin.tmp", ".notes.tmp"]));
    }

    [Test]
    public void SyncAndClose_SendAndEnd_AndTellWhatFails()
    {
        var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        stream.Write("x"u8);
        DurableFile.Sync(stream);
        DurableFile.Close(stream);
        Assert.That((stream.CanWrite, File.ReadAllText(path)), Is.EqualTo((false, "x")));

        // A device that cannot be sent to a disk says so when it is asked.
        using var device = new FileStream("/dev/null", FileMode.Open, FileAccess.Write);
        Assert.That(() => DurableFile.Sync(device), Throws.TypeOf<IOException>().With.Message.EndsWith(" : '/dev/null'"));
    }

    private string[] Names() => [.. new DirectoryInfo(folder).GetFileSystemInfos().Select(entry => entry.Name)
        .Order(StringComparer.Ordinal)];

    private void Write(string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.ASCII.GetBytes(text)));
}
