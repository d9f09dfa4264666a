using Dino.Model;
using Dino.Tensors;
using Dino.Testing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>A run can start its centre at the mean of what the teacher says before it has learned anything.</summary>
public class CenterWarmupTests
{
    [Test]
    public void Centre_StartsAtTheMeanOfTheTeachersLogits_AndNothingElseMoves()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var state = new SteppedDino(TinyRun.Options, device, stepsPerEpoch: 2);
        int k = state.Loss.Centre.Count, size = TinyRun.Options.Crops.GlobalCropsSize;
        float[] weights = state.TeacherParameters.Values.ToArray();
        var random = new Random(4);
        double[] sums = new double[k];
        int rows = 0;
        foreach (int pictures in (int[])[2, 3])
        {
            using var arena = device.BeginArena();
            float[] values = [.. Enumerable.Range(0, 2 * pictures * 3 * size * size).Select(_ => (float)random.NextDouble())];
            var globals = Tensor.From(device, values, new Shape(2 * pictures, 3, size, size));
            state.Method.WarmUp(globals);
            float[] logits = state.Teacher.Forward(globals, new Pass(Training: true, OneRank.Instance)).ToArray();
            for (int i = 0; i < logits.Length; i++)
                sums[i % k] += logits[i];
            rows += 2 * pictures;
        }

        state.Method.EndWarmUp();

        Tolerance.Balanced.Check<float>(state.Loss.Centre.ToArray(), Array.ConvertAll(sums, sum => (float)(sum / rows)), "centre");
        Assert.That(state.Step, Is.Zero);
        Assert.That(state.TeacherParameters.Values.ToArray(), Is.EqualTo(weights));
    }
}
