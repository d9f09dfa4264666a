using Dino.Tensors.Io;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>A run that is stopped and goes on is the run that was never stopped, bit for bit.</summary>
public class ResumeTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!;

    [OneTimeSetUp]
    public void MakePictures() => pictures = TinyRun.MakePictures();

    [OneTimeTearDown]
    public void DeletePictures() => pictures.Dispose();

    [SetUp]
    public void MakeScratch() => scratch = Directory.CreateTempSubdirectory("dino-resume-").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    [Test]
    public void StoppedAndResumed_IsTheSameRun([Values(1, 2)] int accumulate, [Values] bool killed, [Values(1, 2)] int seed)
    {
        var options = TinyRun.Options with { Accumulate = accumulate };
        string whole = Path.Combine(scratch, "whole"), parts = Path.Combine(scratch, "parts");
        TinyRun.Run(options, pictures.Root, whole, workers: 3);
        long steps = (long)options.Epochs * (TinyRun.Pictures / options.PicturesPerStep);

        var random = new Random(seed);
        int stops = 0;
        for (long done = 0; done < steps;)
        {
            // A killed run must reach an epoch's end now and then, or it would never get on.
            long until = done + random.Next(1, killed ? (int)steps : (int)steps / 2);
            int workers = random.Next(2) == 0 ? 1 : 3;
            done = until >= steps ? Finish(options, parts, workers) : Stop(options, parts, workers, until, killed);
            stops += until < steps ? 1 : 0;
        }

        Assert.That(stops, Is.GreaterThan(0));
        AssertSame(Path.Combine(parts, "latest.safetensors"), Path.Combine(whole, "latest.safetensors"));
        var log = RunLogReader.Read(Path.Combine(parts, "log.jsonl"));
        Assert.That(log.Steps.Select(line => line.Step), Is.EqualTo(Enumerable.Range(0, (int)steps)));
        Assert.That(log.Epochs.Select(line => line.Epoch), Is.EqualTo(Enumerable.Range(0, options.Epochs)));
        var (expected, _) = RunLogReader.Read(Path.Combine(whole, "log.jsonl"));
        Assert.That(log.Steps.Select(line => line["loss"]), Is.EqualTo(expected.Select(line => line["loss"])));
        Assert.That(Directory.GetFiles(parts, ".*"), Is.Empty, "temporary files");
    }

    [Test]
    public void OtherHyperparameters_AreRefusedByName()
    {
        Stop(TinyRun.Options, scratch, 1, until: 2, killed: false);
        byte[] before = File.ReadAllBytes(Path.Combine(scratch, "latest.safetensors"));
        var other = TinyRun.Options with { Lr = 0.5, Head = TinyRun.Options.Head with { BottleneckDim = 4 } };

        Assert.That(
            () => TinyRun.Run(other, pictures.Root, scratch),
            Throws.TypeOf<RunException>().With.Message.Contains("`Lr` (0.02 then, 0.5 now)")
                .And.Message.Contains("`Head.BottleneckDim` (8 then, 4 now)").And.Message.Contains("`OutputDir`"));
        Assert.That(File.ReadAllBytes(Path.Combine(scratch, "latest.safetensors")), Is.EqualTo(before));
    }

    [Test]
    public void OtherPictures_AreRefused()
    {
        Stop(TinyRun.Options, scratch, 1, until: 2, killed: false);
        using var more = TinyRun.MakePictures(TinyRun.Pictures + 1);

        Assert.That(
            () => TinyRun.Run(TinyRun.Options, more.Root, scratch),
            Throws.TypeOf<RunException>().With.Message.Contains("pictures (24 then, 25 now)"));
    }

    [Test]
    public void AStepThatIsBrokenOff_LeavesWhatWasBeforeIt([Values] bool recompute)
    {
        var options = TinyRun.Options with { Accumulate = 2, Recompute = recompute };
        string before = Path.Combine(scratch, "before.safetensors"), after = Path.Combine(scratch, "after.safetensors");
        int brokenOff = 0;
        // Wherever it happens: while the teacher looks, while the student does, and on the way back.
        for (int launches = 0; launches < 260; launches += 20)
        {
            using var device = Dino.Tensors.Device.Open("cpu", new Dino.Tensors.DeviceOptions { Threads = 2 });
            using var state = new SteppedDino(options, device, stepsPerEpoch: 3);
            using Dino.Tensors.Tensor globals = TinyRun.RandomCrops(device, 2, 16), locals = TinyRun.RandomCrops(device, 2, 8);
            using var stop = new CancellationTokenSource();
            for (int part = 0; part < 2; part++)
                state.Learn(globals, locals, null, null);
            state.Update();
            state.Measured.Read((in StepRow _, ReadOnlySpan<float> _) => { });
            Save(before, state);

            state.Learn(globals, locals, null, null);
            device.Interrupt = stop.Token;
            long until = device.Launches + launches;
            var watcher = Task.Run(() =>
            {
                while (device.Launches < until)
                {
                }
                stop.Cancel();
            });
            try
            {
                while (true) // until the watcher has its moment
                    state.Learn(globals, locals, null, null);
            }
            catch (OperationCanceledException)
            {
                brokenOff++;
            }
            watcher.Wait();
            device.Interrupt = default;
            Assert.That(state.Method.Abandon());
            Save(after, state);
            Assert.That(File.ReadAllBytes(after), Is.EqualTo(File.ReadAllBytes(before)), $"{launches} launches");
        }
        Assert.That(brokenOff, Is.EqualTo(13));

        void Save(string path, SteppedDino state) => Checkpoint.Save(
            path, state.Method.State, new CheckpointInfo
            {
                Step = state.Step,
                StepsPerEpoch = 3,
                Epoch = 0,
                Pictures = 24,
                Options = CheckpointInfo.Write(options)
            });
    }

    private long Finish(DinoOptions options, string output, int workers)
    {
        TinyRun.Run(options, pictures.Root, output, workers);
        return Checkpoint.ReadInfo(Path.Combine(output, "latest.safetensors")).Step;
    }

    /// <summary>Runs until so many steps are done, then ends by cancellation or without any saving.</summary>
    /// <returns>The steps that the checkpoint has.</returns>
    private long Stop(DinoOptions options, string output, int workers, long until, bool killed)
    {
        using var cancel = new CancellationTokenSource();
        var display = new StepDisplay(done =>
        {
            if (done < until)
                return;
            if (killed)
                throw new KilledException();
            cancel.Cancel();
        });
        string latest = Path.Combine(output, "latest.safetensors");
        if (killed)
        {
            Assert.That(() => TinyRun.Run(options, pictures.Root, output, workers, display, cancel.Token),
                Throws.TypeOf<KilledException>());
            return File.Exists(latest) ? Checkpoint.ReadInfo(latest).Step : 0;
        }
        Assert.That(
            () => TinyRun.Run(options, pictures.Root, output, workers, display, cancel.Token),
            Throws.InstanceOf<OperationCanceledException>());
        long step = Checkpoint.ReadInfo(latest).Step;
        Assert.That(step, Is.EqualTo(until));
        return step;
    }

    private static void AssertSame(string actual, string expected)
    {
        using SafetensorsFile a = SafetensorsFile.Read(actual), b = SafetensorsFile.Read(expected);
        Assert.That(a.Names, Is.EqualTo(b.Names));
        foreach (string name in a.Names)
            Assert.That(a.Floats(name), Is.EqualTo(b.Floats(name)), name);
        Assert.That(File.ReadAllBytes(actual), Is.EqualTo(File.ReadAllBytes(expected)));
    }

    private sealed class KilledException : Exception;
}
