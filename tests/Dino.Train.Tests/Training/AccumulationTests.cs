using Dino.Tensors;
using Dino.Testing.Runs;
using Dino.Train.Log;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>Two batches of B make the step of one batch of 2·B: gradients, centre, student and teacher.</summary>
public class AccumulationTests
{
    private const int Batch = 4;
    private const float Tolerance = 2e-5f;

    [Test]
    public void TwoBatches_AreOneOfTwiceTheSize()
    {
        var options = TinyRun.Options with
        {
            Backbone = TinyRun.Options.ViT with { DropPathRate = 0 },
            FreezeLastLayer = 0,
            WarmupEpochs = 0
        };
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var whole = new SteppedDino(options with { BatchSize = 2 * Batch }, device, stepsPerEpoch: 2);
        using var parts = new SteppedDino(options with { BatchSize = Batch, Accumulate = 2 }, device, stepsPerEpoch: 2);
        for (int step = 0; step < 4; step++)
        {
            float[] globals = Crops(step, 2, 16), locals = Crops(100 + step, 2, 8);
            Learn(whole, globals, locals, 0, 2 * Batch);
            Learn(parts, globals, locals, 0, Batch);
            Learn(parts, globals, locals, Batch, Batch);
            Compare(parts.StudentParameters.CompleteGradients(), whole.StudentParameters.CompleteGradients(), $"gradients of step {step}");
            double expectedLoss = double.NaN, expectedEntropy = double.NaN;
            whole.Update();
            parts.Update();
            whole.Measured.Read((in StepRow row, ReadOnlySpan<float> _) =>
                (expectedLoss, expectedEntropy) = (row["loss"], row["teacherEntropy"]));
            parts.Measured.Read((in StepRow row, ReadOnlySpan<float> _) =>
            {
                Assert.That(row["loss"], Is.EqualTo(expectedLoss).Within(Tolerance));
                Assert.That(row["teacherEntropy"], Is.EqualTo(expectedEntropy).Within(Tolerance));
            });
            Compare(parts.Loss.Centre, whole.Loss.Centre, $"centre after step {step}");
            Compare(parts.TeacherParameters.Values, whole.TeacherParameters.Values, $"teacher after step {step}");
            // Adam divides small gradients by small moments, so rounding would grow from step to step: go on from the same weights.
            parts.StudentParameters.CopyFrom(whole.StudentParameters);
            parts.TeacherParameters.CopyFrom(whole.TeacherParameters);
        }
    }

    /// <summary>One batch: pictures <paramref name="first"/> and on of each crop.</summary>
    private static void Learn(SteppedDino state, float[] globals, float[] locals, int first, int count)
    {
        var device = state.StudentParameters.Device;
        using var arena = device.BeginArena();
        state.Learn(
            Tensor.From(device, Part(globals, 16, first, count), new Shape(2 * count, 3, 16, 16)),
            Tensor.From(device, Part(locals, 8, first, count), new Shape(2 * count, 3, 8, 8)), null, null);
    }

    private static float[] Part(float[] crops, int size, int first, int count)
    {
        int picture = 3 * size * size;
        return [.. crops.AsSpan(first * picture, count * picture), .. crops.AsSpan((2 * Batch + first) * picture, count * picture)];
    }

    private static float[] Crops(int seed, int crops, int size)
    {
        var random = new Random(seed);
        float[] values = new float[crops * 2 * Batch * 3 * size * size];
        for (int i = 0; i < values.Length; i++)
            values[i] = random.NextSingle() * 2 - 1;
        return values;
    }

    private static void Compare(Tensor actual, Tensor expected, string what)
    {
        float[] a = actual.ToArray(), b = expected.ToArray();
        float largest = b.Max(MathF.Abs);
        Assert.That(largest, Is.GreaterThan(0), what);
        for (int i = 0; i < a.Length; i++)
            Assert.That(a[i], Is.EqualTo(b[i]).Within(Tolerance * largest + 1e-7f), $"{what}, element {i}");
    }
}
