using System.Text.Json;
using Dino.Model;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using Dino.Train.Options;
using NUnit.Framework;

namespace Dino.Train.Tests.Golden;

/// <summary>Whole training runs on given crops and stochastic-depth masks against the set <c>trace</c>.</summary>
[Category("Golden")]
[TestFixtureSource(typeof(Devices), nameof(Devices.FastFixtures))]
public class TraceGoldenTests(string deviceName)
{
    private static readonly GoldenSet golden = GoldenSet.Open("trace");

    // Four times what one rounding loses at most.
    private const double Tf32Loss = 4.0 / 2048, Bf16Loss = 4.0 / 256;

    private static IEnumerable<int> Runs => Enumerable.Range(0, golden.Config.GetProperty("runs").GetArrayLength());

    [TestCaseSource(nameof(Runs))]
    public void Training_FollowsTheTrace(int index)
    {
        var run = golden.Config.GetProperty("runs")[index];
        string prefix = $"run{index}.";
        var device = Devices.Open(deviceName);
        using var state = new SteppedDino(OptionsOf(run), device, run.GetProperty("steps_per_epoch").GetInt32());
        var init = Tensors("init.");
        string[] gradNames = [.. run.GetProperty("grad_names").EnumerateArray().Select(name => name.GetString()!)];
        int[] places = [.. gradNames.Select(name => state.Optimizer.Parameters.ToList().FindIndex(p => p.Name == name))];
        Assert.That(places, Has.None.Negative);

        var seen = Train(state, device, init, places, checkLogits: index == 0);

        golden.Check<float>(prefix + "loss", seen.Loss.ToArray());
        golden.Check<float>(prefix + "teacher_entropy", seen.Entropy.ToArray());
        golden.Check<float>(prefix + "center_norm", seen.CentreNorm.ToArray());
        golden.Check<float>(prefix + "grad_norms", seen.Norms.ToArray());
        golden.Check<double>(prefix + "lr", seen.Rates.Select(rate => rate.LearningRate).ToArray());
        golden.Check<double>(prefix + "wd", seen.Rates.Select(rate => rate.WeightDecay).ToArray());
        golden.Check<double>(prefix + "momentum", seen.Rates.Select(rate => rate.Momentum).ToArray());
        golden.Check<float>(prefix + "center", state.Loss.Centre.ToArray());
        CheckWeights(prefix + "student.", state.StudentParameters, init);
        CheckWeights(prefix + "teacher.", state.TeacherParameters, init);
    }

    /// <summary>Operands rounded to tf32 or bf16 move a run by about as much as they lose, and not away from it.</summary>
    [Test]
    public void Training_InANarrowPrecision_StaysNearTheTrace([Values(Precision.Tf32, Precision.Bf16)] Precision precision)
    {
        if (deviceName.StartsWith("opencl", StringComparison.Ordinal))
            Assert.Inconclusive("A driver compiles for a minute; NarrowOperandTests has what is special there.");
        Devices.Open(deviceName); // inconclusive where there is none
        using var device = Device.Open(deviceName, new DeviceOptions { Precision = precision });
        var run = golden.Config.GetProperty("runs")[0];
        using var state = new SteppedDino(OptionsOf(run), device, run.GetProperty("steps_per_epoch").GetInt32());

        var seen = Train(state, device, Tensors("init."), [], checkLogits: false);

        float[] exact = golden.Floats("run0.loss");
        double[] errors = [.. seen.Loss.Zip(exact, (narrow, loss) => Math.Abs(narrow / loss - 1.0))];
        TestContext.Out.WriteLine($"{precision} on {device}: losses within {errors.Max():e1} of float's, {errors.Average():e1} on average");
        Assert.That(errors.Max(), Is.LessThanOrEqualTo(precision == Precision.Tf32 ? Tf32Loss : Bf16Loss));
        Assert.That(errors.Max(), Is.GreaterThan(1e-6), "nothing was rounded");
    }

    /// <summary>Runs the steps of the trace from its first weights.</summary>
    private static Trace Train(SteppedDino state, Device device, IReadOnlyList<HostTensor> init, int[] places, bool checkLogits)
    {
        state.StudentParameters.Load(init);
        state.TeacherParameters.Load(init);
        var seen = new Trace([], [], [], [], []);
        for (int step = 0; step < golden.Config.GetProperty("steps").GetInt32(); step++)
        {
            using var arena = device.BeginArena();
            Tensor globals = Crops(device, "crops.global", step), locals = Crops(device, "crops.local", step);
            var (globalDepth, localDepth) = (Depth("keep.global", step), Depth("keep.local", step));
            if (step == 0 && checkLogits)
            {
                var pass = new Pass(Training: true, OneRank.Instance);
                golden.Check<float>("first.teacher_logits", state.Teacher.Forward(globals, pass).ToArray());
                golden.Check<float>("first.student_logits",
                    state.Student.Forward(globals, locals, pass with { Depth = globalDepth }, localDepth).ToArray());
            }
            seen.Rates.Add(state.Method.RatesAt(step));
            state.Learn(globals, locals, globalDepth, localDepth);
            state.Update();
            state.Measured.Read((in StepRow row, ReadOnlySpan<float> norms) =>
            {
                seen.Loss.Add((float)row["loss"]);
                seen.Entropy.Add((float)row["teacherEntropy"]);
                seen.CentreNorm.Add((float)row["centreNorm"]);
                foreach (int place in places)
                    seen.Norms.Add(norms[place]);
            });
        }
        return seen;
    }

    private static void CheckWeights(string prefix, FlatParameters parameters, IReadOnlyList<HostTensor> init)
    {
        foreach (var actual in parameters.Save())
        {
            string name = prefix + actual.Name;
            if (!golden.Contains(name))
                continue; // teachers are recorded for one run
            golden.Check<float>(name, actual.Values);

            // Beside the tolerance on values: the error is small against how far training moved the tensor.
            if (golden[name].Json.GetProperty("moved_l2").GetDouble() == 0)
                continue;
            float[] expected = golden.Floats(name), first = init.Single(tensor => tensor.Name == actual.Name).Values;
            int row = expected.Length / golden[name].Shape[0];
            var ignored = golden[name].IgnoreRows is { } rows ? (rows.Start.Value * row, rows.End.Value * row) : (0, 0);
            double error = 0, moved = 0;
            for (int i = 0; i < expected.Length; i++)
            {
                if (i >= ignored.Item1 && i < ignored.Item2)
                    continue;
                error += Math.Pow(actual.Values[i] - expected[i], 2);
                moved += Math.Pow(expected[i] - first[i], 2);
            }
            Assert.That(Math.Sqrt(error), Is.LessThanOrEqualTo(1e-2 * Math.Sqrt(moved)), name);
        }
        Assert.That(golden.Tensors.Keys.Count(name => name.StartsWith("run0." + prefix.Split('.')[1] + ".", StringComparison.Ordinal)),
            Is.EqualTo(parameters.Segments.Count), "every weight is compared in the first run");
    }

    private static DinoOptions OptionsOf(JsonElement run)
    {
        var config = golden.Config;
        var vit = config.GetProperty("vit");
        int batch = config.GetProperty("batch").GetInt32();
        return new DinoOptions
        {
            Backbone = new ViTConfig
            {
                ImageSize = vit.GetProperty("image_size").GetInt32(),
                Patch = vit.GetProperty("patch").GetInt32(),
                Dim = vit.GetProperty("dim").GetInt32(),
                Depth = vit.GetProperty("depth").GetInt32(),
                Heads = vit.GetProperty("heads").GetInt32(),
                MlpRatio = vit.GetProperty("mlp_ratio").GetSingle(),
                DropPathRate = vit.GetProperty("drop_path").GetSingle(),
            },
            Head = new DinoHeadConfig
            {
                OutDim = config.GetProperty("out").GetInt32(),
                HiddenDim = config.GetProperty("hidden").GetInt32(),
                BottleneckDim = config.GetProperty("bottleneck").GetInt32(),
                NormLastLayer = run.GetProperty("norm_last_layer").GetBoolean(),
            },
            Crops = new MultiCropOptions
            {
                GlobalCropsSize = config.GetProperty("global_size").GetInt32(),
                LocalCropsSize = config.GetProperty("local_size").GetInt32(),
                LocalCropsNumber = config.GetProperty("local_crops").GetInt32(),
            },
            BatchSize = batch,
            Epochs = run.GetProperty("epochs").GetInt32(),
            Optimizer = Enum.Parse<OptimizerKind>(run.GetProperty("optimizer").GetString()!, ignoreCase: true),
            Lr = run.GetProperty("base_lr").GetDouble() * 256 / batch, // the trace states the rate after scaling
            MinLr = run.GetProperty("min_lr").GetDouble(),
            WarmupEpochs = run.GetProperty("warmup_epochs").GetInt32(),
            WeightDecay = run.GetProperty("weight_decay").GetDouble(),
            WeightDecayEnd = run.GetProperty("weight_decay_end").GetDouble(),
            MomentumTeacher = run.GetProperty("momentum_teacher").GetDouble(),
            WarmupTeacherTemp = run.GetProperty("warmup_teacher_temp").GetDouble(),
            TeacherTemp = run.GetProperty("teacher_temp").GetDouble(),
            WarmupTeacherTempEpochs = run.GetProperty("warmup_teacher_temp_epochs").GetInt32(),
            StudentTemp = run.GetProperty("student_temp").GetDouble(),
            CenterMomentum = run.GetProperty("center_momentum").GetDouble(),
            ClipGrad = run.GetProperty("clip").GetDouble(),
            FreezeLastLayer = run.GetProperty("freeze_last_layer").GetInt32(),
        };
    }

    private static List<HostTensor> Tensors(string prefix) =>
        [.. golden.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => new HostTensor(name[prefix.Length..], Shape.Of(golden[name].Shape), golden.Floats(name)))];

    /// <summary>The crops of a step, (crops · batch, 3, S, S), for the arena that is open.</summary>
    private static Tensor Crops(Device device, string name, int step)
    {
        int[] shape = golden[name].Shape; // steps, crops, batch, 3, S, S
        int count = golden[name].Count / shape[0];
        return Tensor.From(
            device, golden.Floats(name).AsSpan(step * count, count), new Shape(shape[1] * shape[2], shape[3], shape[4], shape[5]));
    }

    private static GivenStochasticDepth Depth(string name, int step)
    {
        int count = golden[name].Count / golden[name].Shape[0];
        return new GivenStochasticDepth(golden.Floats(name).AsSpan(step * count, count).ToArray());
    }

    /// <summary>What is read of each step.</summary>
    private sealed record Trace(
        List<float> Loss, List<float> Entropy, List<float> CentreNorm, List<float> Norms,
        List<DinoRates> Rates);
}
