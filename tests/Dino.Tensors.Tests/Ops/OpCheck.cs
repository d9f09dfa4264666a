using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>The checks of an op against things outside it: finite differences, other devices, formulas in double precision.</summary>
internal static class OpCheck
{
    // Exact in float32, and so are x ± h and x ± 2h. With the five-point rule the truncation is h⁴/30 · f⁽⁵⁾, about 3e-8.
    private const float H = 1f / 32;
    private const int MaxElements = 40, Directions = 3;

    /// <summary>
    /// The gradient of L = Σ w · op(x), w random, from the tape, against differences of L: along random directions and for single elements,
    /// all of them if they are few.
    /// </summary>
    public static void Gradient(Device device, OpCase c)
    {
        float[][] x = c.Values();
        float[] w = Weights(OutputLength(device, c, x), seed: 1);
        float[]?[] gradients = Gradients(device, c, x, w, c.IsDifferentiable);
        var random = new System.Random(2);
        for (int input = 0; input < x.Length; input++)
        {
            if (gradients[input] is not { } gradient)
                continue;
            foreach (int element in Sample(random, x[input].Length))
            {
                double numeric = Difference(device, c, x, w, input, (at, h) => at[element] += h);
                c.GradientTolerance.Check<double>([gradient[element]], [numeric], $"{c}: gradient of input {input} at [{element}]");
            }
            for (int direction = 0; direction < Directions && gradient.Length > 1; direction++)
            {
                float[] d = Signs(random, gradient.Length);
                double numeric = Difference(device, c, x, w, input, (at, h) =>
                {
                    for (int i = 0; i < at.Length; i++)
                        at[i] += h * d[i];
                });
                double analytic = gradient.Zip(d, (g, s) => (double)g * s).Sum();
                // The errors of all elements and outputs come together here, as a random walk.
                double spread = Math.Sqrt(d.Length + w.Length);
                (c.GradientTolerance with { Absolute = c.GradientTolerance.Absolute * spread })
                    .Check<double>([analytic], [numeric], $"{c}: gradient of input {input} along a random direction");
            }
        }
    }

    /// <summary>
    /// A gradient adds to what has arrived before: for a leaf over two passes, for an intermediate tensor that two ops use; and an input
    /// that wants no gradient changes nothing for the others.
    /// </summary>
    public static void Accumulation(Device device, OpCase c)
    {
        float[][] x = c.Values();
        int length = OutputLength(device, c, x);
        float[] w1 = Weights(length, seed: 1), w2 = Weights(length, seed: 2);
        float[]?[] first = Gradients(device, c, x, w1, c.IsDifferentiable), second = Gradients(device, c, x, w2, c.IsDifferentiable);
        float[]?[] both = Gradients(device, c, x, [w1, w2], c.IsDifferentiable, twice: false);
        float[]?[] doubled = Gradients(device, c, x, [w1], c.IsDifferentiable, twice: true);
        for (int input = 0; input < x.Length; input++)
        {
            if (first[input] is not { } g1 || second[input] is not { } g2)
                continue;
            Tolerance.Balanced.Check<float>(both[input], [.. g1.Zip(g2, (a, b) => a + b)], $"{c}: input {input} over two passes");
            Tolerance.Balanced.Check<float>(doubled[input], [.. g1.Select(g => 2 * g)], $"{c}: input {input}, used by two ops");
            if (x.Length == 1)
                continue;
            int only = input;
            float[]?[] alone = Gradients(device, c, x, w1, i => i == only);
            Tolerance.Exact.Check<float>(alone[input], g1, $"{c}: input {input} if it alone wants a gradient");
        }
    }

    /// <summary>The same output and gradients as on the host.</summary>
    public static void Parity(Device host, Device other, OpCase c)
    {
        float[][] x = c.Values();
        float[] expected = Output(host, c, x), w = Weights(expected.Length, seed: 1);
        c.Tolerance.Check<float>(Output(other, c, x), expected, $"{c} on {other.Name}");
        float[]?[] here = Gradients(host, c, x, w, c.IsDifferentiable),
            there = Gradients(other, c, x, [w, w], c.IsDifferentiable, twice: true);
        for (int input = 0; input < x.Length; input++)
        {
            if (here[input] is { } gradient) // two passes through two ops: four times the gradient, by both ways of delivering it
                c.Tolerance.Check<float>([.. there[input]!.Select(g => g / 4)], gradient,
                    $"{c}: gradient of input {input} on {other.Name}");
        }
    }

    /// <summary>The output against the case's formula.</summary>
    public static void Truth(Device device, OpCase c)
    {
        float[][] x = c.Values();
        double[] expected = c.Truth!([.. x.Select(v => Array.ConvertAll(v, e => (double)e))]);
        double[] actual = Array.ConvertAll(Output(device, c, x), v => (double)v);
        c.Tolerance.Check<double>(actual, expected, $"{c}: output");
    }

    /// <summary>The output of the op, which must leave nothing behind on the device.</summary>
    public static float[] Output(Device device, OpCase c, float[][] x)
    {
        long before = device.Pool.UsedBytes;
        float[] output = Run();
        if (device.Pool.UsedBytes != before)
        {
            before = device.Pool.UsedBytes; // a table that an op keeps for good is made by its first run
            output = Run();
        }
        Assert.That(device.Pool.UsedBytes, Is.EqualTo(before), $"{c}: memory still in use on {device.Name}");
        return output;

        float[] Run()
        {
            using (device.BeginArena())
                return c.Function([.. x.Select((v, i) => Tensor.From(device, v, c.Shapes[i]))]).ToArray();
        }
    }

    private static int OutputLength(Device device, OpCase c, float[][] x) => Output(device, c, x).Length;

    private static float[]?[] Gradients(Device device, OpCase c, float[][] x, float[] w, Func<int, bool> wanted) =>
        Gradients(device, c, x, [w], wanted, twice: false);

    /// <summary>
    /// The gradients of leaves after one pass for each of the weights; null for those not wanted. With <paramref name="twice"/> the op is
    /// applied twice to intermediate copies of the leaves and the results are added.
    /// </summary>
    private static float[]?[] Gradients(Device device, OpCase c, float[][] x, float[][] passes, Func<int, bool> wanted, bool twice)
    {
        long before = device.Pool.UsedBytes;
        var result = new float[]?[x.Length];
        if (!Enumerable.Range(0, x.Length).Any(wanted))
            return result;
        using (var tape = new Tape(device))
        using (device.BeginArena())
        {
            Tensor[] leaves = [.. x.Select((v, i) => Tensor.From(device, v, c.Shapes[i]))];
            for (int i = 0; i < leaves.Length; i++)
                leaves[i].RequiresGrad = wanted(i);
            foreach (float[] w in passes)
            {
                using var pass = device.BeginArena();
                tape.Record();
                Tensor[] inputs = twice ? [.. leaves.Select((l, i) => c.IsDifferentiable(i) ? Probe.Copy(l) : l)] : leaves;
                var y = c.Function(inputs);
                if (twice)
                    y = Probe.Sum(y, c.Function(inputs));
                var dy = Tensor.From(device, w, y.Shape);
                tape.Backward(y, dy);
                Assert.That(dy.ToArray(), Is.EqualTo(w), $"{c}: the arriving gradient was written to");
            }
            for (int i = 0; i < leaves.Length; i++)
                result[i] = wanted(i) ? leaves[i].Grad!.ToArray() : null;
        }
        Assert.That(device.Pool.UsedBytes, Is.EqualTo(before), $"{c}: memory still in use on {device.Name}");
        return result;
    }

    /// <summary>(8 (L(h) − L(−h)) − (L(2h) − L(−2h))) / 12h</summary>
    private static double Difference(Device device, OpCase c, float[][] x, float[] w, int input, Action<float[], float> step)
    {
        return (8 * (At(H) - At(-H)) - (At(2 * H) - At(-2 * H))) / (12 * H);

        double At(float h)
        {
            float[][] moved = [.. x];
            moved[input] = [.. x[input]];
            step(moved[input], h);
            float[] y = Output(device, c, moved);
            double sum = 0;
            for (int i = 0; i < y.Length; i++)
                sum += (double)y[i] * w[i];
            return sum;
        }
    }

    private static float[] Weights(int length, int seed)
    {
        var random = new System.Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() * 2 - 1)];
    }

    private static float[] Signs(System.Random random, int length) =>
        [.. Enumerable.Range(0, length).Select(_ => random.Next(2) * 2f - 1)];

    private static int[] Sample(System.Random random, int length) => length <= MaxElements
        ? [.. Enumerable.Range(0, length)]
        : [0, length - 1, .. Enumerable.Range(0, MaxElements - 2).Select(_ => random.Next(length))];
}
