using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>
/// A run that the program of before the methods' house began (version 0.1.0, DINO alone) goes on here to what that program's uninterrupted
/// run ended with:
/// <c>fixtures/runs</c> has its pictures, the run stopped after step 3 of 8, in the middle of an epoch, and the whole one. Batch
/// normalisation, dropped branches, a trained last layer that is held at first, and a warmed-up centre take part.
/// </summary>
public class EarlierProgramTests
{
    private static readonly string fixtures = Path.Combine(AppContext.BaseDirectory, "fixtures", "runs");

    private string scratch = null!;

    [SetUp]
    public void CopyTheRun()
    {
        scratch = Directory.CreateTempSubdirectory("dino-earlier-").FullName;
        foreach (string file in Directory.GetFiles(Path.Combine(fixtures, "interrupted")))
            File.Copy(file, Path.Combine(scratch, Path.GetFileName(file)));
    }

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    [Test]
    public void ItsInterruptedRun_EndsAsItsUninterruptedOne()
    {
        string latest = Path.Combine(scratch, RunFiles.Latest);
        var before = Checkpoint.ReadInfo(latest);
        using (var device = Device.Open("cpu", new DeviceOptions { Strict = true, Threads = 2 }))
        {
            var run = new RunOptions { OutputDir = scratch, Prefetch = new PrefetchOptions { Workers = 1 } };
            var pictures = ImageFolder.Scan(Path.Combine(fixtures, "pictures"));
            using var trainer = new Trainer(before.OptionsAs<DinoOptions>(), run, device, pictures, new SkippedFiles());
            Assert.That((trainer.Resume(), trainer.Step), Is.EqualTo((true, 3L)));
            trainer.Run(new StepDisplay(_ => { }), default);
        }

        var after = Checkpoint.ReadInfo(latest);
        Assert.That((after.Step, after.Format), Is.EqualTo((8L, before.Format)));
        Assert.That(after.Options.ToJsonString(), Is.EqualTo(before.Options.ToJsonString()));
        // Sums are rounded by the vectors of the machine, which a checkpoint notes.
        bool exact = after.Arithmetic == before.Arithmetic;
        string whole = Path.Combine(fixtures, "whole");
        using SafetensorsFile actual = SafetensorsFile.Read(latest), expected = SafetensorsFile.Read(Path.Combine(whole, RunFiles.Latest));
        Assert.That(actual.Names, Is.EqualTo(expected.Names));
        Compare(Losses(scratch), Losses(whole), "losses");
        foreach (string name in expected.Names)
        {
            Assert.That(actual.Shape(name), Is.EqualTo(expected.Shape(name)), name);
            Compare(actual.Floats(name), expected.Floats(name), name);
        }

        static float[] Losses(string folder) =>
            [.. RunLogReader.Read(Path.Combine(folder, RunFiles.Log)).Steps.Select(row => (float)row[DinoMeasures.Loss])];

        void Compare(float[] values, float[] those, string what)
        {
            if (exact)
                Assert.That(values, Is.EqualTo(those), what);
            else
                Tolerance.Loose.Check<float>(values, those, what);
        }
    }
}
