using System.Runtime.Intrinsics;
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
    // How far a run may be whose products sum in another order, of the length of what is compared. AVX2 is 4e-5 from AVX-512 in the weights
    // of the student, where the bias of keys, whose gradient is 0 but for rounding, moves by AdamW's full steps; a run that forgets AdamW's
    // second moment is 9e-2 from it in the losses.
    private const double Rounding = 1e-3;

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
        // The fixture was written with AVX-512. Without it products sum in another order, which the note, of the vectors of all other
        // kernels, does not tell.
        bool exact = after.Arithmetic == before.Arithmetic && Vector512.IsHardwareAccelerated;
        string whole = Path.Combine(fixtures, "whole");
        using SafetensorsFile actual = SafetensorsFile.Read(latest), expected = SafetensorsFile.Read(Path.Combine(whole, RunFiles.Latest));
        Assert.That(actual.Names, Is.EqualTo(expected.Names));
        Compare(Losses(scratch), Losses(whole), "losses");
        foreach (string name in expected.Names)
            Assert.That(actual.Shape(name), Is.EqualTo(expected.Shape(name)), name);
        foreach (var part in expected.Names.GroupBy(name => exact ? name : name.Split('.')[0]))
            Compare([.. part.SelectMany(actual.Floats)], [.. part.SelectMany(expected.Floats)], part.Key);

        static float[] Losses(string folder) =>
            [.. RunLogReader.Read(Path.Combine(folder, RunFiles.Log)).Steps.Select(row => (float)row[DinoMeasures.Loss])];

        static double Length(IEnumerable<double> values) => Math.Sqrt(values.Sum(value => value * value));

        void Compare(float[] values, float[] those, string what)
        {
            Assert.That(values, Has.Length.EqualTo(those.Length), what);
            if (exact)
                Assert.That(values, Is.EqualTo(those), what);
            else
                Assert.That(
                    Length(values.Zip(those, (a, b) => (double)a - b)), Is.InRange(0, Rounding * Length(those.Select(b => (double)b))),
                    what);
        }
    }
}
