using Dino.Testing.Runs;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>Two runs never write into one folder.</summary>
public class FolderLockTests
{
    private string folder = null!;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-lock-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void TheSecondIsToldWhoHasTheFolder_AndTheFileGoesWithTheLock()
    {
        using (FolderLock.Acquire(folder))
        {
            Assert.That(
                () => FolderLock.Acquire(folder),
                Throws.TypeOf<RunException>().With.Message.StartsWith($"{folder} is in use by ").And.Message.Contains("`OutputDir`")
                    .And.Message.Contains(OperatingSystem.IsWindows() ? "another process"
                        : $"process {Environment.ProcessId} on {Environment.MachineName}, since 20"));
        }
        Assert.That(Directory.GetFileSystemEntries(folder), Is.Empty);
        FolderLock.Acquire(folder).Dispose();
    }

    [Test]
    public void WhatAKilledProcessLeft_BlocksNobody()
    {
        File.WriteAllText(Path.Combine(folder, FolderLock.FileName), "process 1 on elsewhere, since long ago: dino train\n");

        using (FolderLock.Acquire(folder))
            Assert.That(() => FolderLock.Acquire(folder), Throws.TypeOf<RunException>().With.Message.Not.Contains("elsewhere"));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void ALinkInPlaceOfTheLock_IsNotWrittenThrough()
    {
        string victim = Path.Combine(folder, "victim");
        File.WriteAllText(victim, "precious");
        File.CreateSymbolicLink(Path.Combine(folder, FolderLock.FileName), victim);

        Assert.That(() => FolderLock.Acquire(folder), Throws.TypeOf<RunException>().With.Message.Contains("is a link"));
        Assert.That(File.ReadAllText(victim), Is.EqualTo("precious"));
    }

    [Test]
    public void ARun_HoldsItsFolder_WhileItTrains_AndNoLonger()
    {
        using PictureFolder pictures = TinyRun.MakePictures();
        string output = Path.Combine(folder, "run");
        int refused = 0;
        TinyRun.Run(TinyRun.Options, pictures.Root, output, display: new StepDisplay(step =>
        {
            if (step != 1)
                return;
            Assert.That(() => TinyRun.Run(TinyRun.Options, pictures.Root, output),
                Throws.TypeOf<RunException>().With.Message.Contains("is in use by"));
            refused++;
        }));

        Assert.That(refused, Is.EqualTo(1));
        Assert.That(Directory.GetFiles(output, ".*"), Is.Empty);
    }
}
