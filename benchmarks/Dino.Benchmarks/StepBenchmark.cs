using System.Diagnostics;
using Dino.Model;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Tensors.Optim;
using Dino.Train.Methods;
using Dino.Train.Methods.Dino;

namespace Dino.Benchmarks;

/// <summary>
/// The training step, timed phase by phase: the parts of <see cref="DinoMethod"/> in its order. Crops are noise, made once; the last
/// layer is trained; stochastic depth is 0.1 in the student. Gradients are zeroed before the backward pass and counted with it.
/// </summary>
internal static class StepBenchmark
{
    private const double LearningRate = 1e-5, WeightDecay = 0.04, Clip = 3, Momentum = 0.996, TeacherTemperature = 0.04;

    /// <summary>The names of the phases, which are the peer's.</summary>
    public static IReadOnlyList<string> Phases { get; } =
        ["teacher forward", "student forward", "loss", "backward", "clip+optimizer", "ema", "total"];

    /// <summary>Does the warm-up and the measured steps.</summary>
    public static StepReport Run(StepSettings settings, string deviceName)
    {
        using var device = Device.Open(deviceName, settings.DeviceOptions);
        var options = new DinoOptions
        {
            Backbone = settings.Backbone with { DropPathRate = 0.1f },
            Head = settings.Head,
            Crops = new MultiCropOptions { LocalCropsNumber = settings.LocalCrops },
            BatchSize = settings.Batch,
            FreezeLastLayer = 0,
            Recompute = settings.Recompute,
        };
        using var state = new DinoMethod(options, new MethodContext(device, StepsPerEpoch: 1000));
        using var average = new ExponentialMovingAverage(state.TeacherParameters, state.StudentParameters);
        using var tape = new Tape(device);
        using var globals = Crops(device, 2 * settings.Batch, StepSettings.GlobalSize, 0);
        using var locals = settings.LocalCrops == 0 ? null : Crops(device, settings.LocalCrops * settings.Batch, StepSettings.LocalSize, 1);
        var globalDepth = new RandomStochasticDepth(0) { Pass = 0 };
        var localDepth = new RandomStochasticDepth(0) { Pass = 1 };
        var pass = new Pass(Training: true, OneRank.Instance, globalDepth, settings.Recompute);

        var times = new List<double>[Phases.Count];
        for (int i = 0; i < times.Length; i++)
            times[i] = [];
        double first = 0, last = 0;
        double[] laps = new double[Phases.Count];
        for (int step = 0; step < settings.Warmup + settings.Iters; step++)
        {
            globalDepth.Step = localDepth.Step = (uint)step;
            var lap = new Laps(device, laps, settings.Whole);
            for (int i = 1; i < lap.Steps; i++)
                Step(state, average, tape, globals, locals, pass, localDepth, lap, read: false);
            last = Step(state, average, tape, globals, locals, pass, localDepth, lap, read: true);
            lap.EndAll(Phases.Count - 1);
            if (!double.IsFinite(last))
                throw new InvalidOperationException($"The loss is {last} at step {step}.");
            if (step == 0)
                first = last;
            for (int i = 0; step >= settings.Warmup && i < laps.Length; i++)
                times[i].Add(laps[i]);
        }
        var phases = Phases.Zip(times).Where(phase => !settings.Whole || phase.First == "total")
            .ToDictionary(phase => phase.First, phase => Spread.Of(phase.Second));
        double total = phases["total"].Median, resident = Machine.PeakResidentMiB();
        double gflop = ModelFlops.Step(settings) / 1e9;
        var peak = PeakShare.Measure(device, settings.Threads, gflop, total);
        return new StepReport(
            "step", settings.Arch, settings.Patch, settings.Batch, settings.OutDim, settings.LocalCrops, settings.Threads, "fused",
            "shared", settings.Iters, phases, settings.Batch / total * 1000, resident, first, last,
            gflop, peak.Gflops, peak.Share, settings.Tokens, device.Pool.PeakBytes / (double)(1 << 20));
    }

    private static double Step(
        DinoMethod state, ExponentialMovingAverage average, Tape tape, Tensor globals, Tensor? locals, in Pass pass,
        StochasticDepth localDepth, Laps laps, bool read)
    {
        using var arena = globals.Device.BeginArena(reuseTensors: true);
        var teacherLogits = state.Teacher.Forward(globals, pass with { Depth = null });
        laps.End(0);
        tape.Record();
        var studentLogits = state.Student.Forward(globals, locals, pass, localDepth);
        laps.End(1);
        var (loss, _) = state.Loss.Compute(studentLogits, teacherLogits, TeacherTemperature);
        state.Loss.UpdateCentre();
        laps.End(2);
        state.StudentParameters.ZeroGrad();
        tape.Backward(loss);
        laps.End(3);
        state.Optimizer.Step(LearningRate, WeightDecay, Clip);
        laps.End(4);
        average.Update(Momentum);
        laps.End(5);
        return read ? loss.Item() : 0;
    }

    private static Tensor Crops(Device device, int count, int size, uint stream) =>
        Noise.Tensor(device, new Shape(count, 3, size, size), stream);

    /// <summary>Notes the milliseconds since the last lap; waits for the device, so that a lap has all the work asked for in it.</summary>
    private sealed class Laps(Device device, double[] milliseconds, bool whole)
    {
        /// <summary>Steps that follow one another without a wait, as they do in training; each counts the same.</summary>
        public int Steps { get; } = whole ? 4 : 1;

        private readonly long start = Stopwatch.GetTimestamp();
        private long mark = Stopwatch.GetTimestamp();

        public void End(int phase)
        {
            if (whole)
                return;
            device.Synchronize();
            long now = Stopwatch.GetTimestamp();
            milliseconds[phase] = Stopwatch.GetElapsedTime(mark, now).TotalMilliseconds;
            mark = now;
        }

        public void EndAll(int phase)
        {
            device.Synchronize();
            milliseconds[phase] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / Steps;
        }
    }
}
