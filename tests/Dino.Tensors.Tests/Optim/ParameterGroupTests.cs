using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Optim;

/// <summary>What groups change of a step, against the formulas in double precision.</summary>
public class ParameterGroupTests
{
    private const double Rate = 0.1, Decay = 0.2;

    private static readonly (string, int[])[] Names = [("w", [5, 7]), ("bias", [9]), ("head.w", [3, 4]), ("head.bias", [4])];

    private Device device = null!;

    [OneTimeSetUp]
    public void Open() => device = Device.Open("cpu", new DeviceOptions { Strict = true });

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    /// <summary>Without groups, vectors do not decay; a group may decay all of itself, or nothing, and learn slower.</summary>
    [TestCase("sgd")]
    [TestCase("adamw")]
    public void RateAndDecay_AreMultiplied(string kind)
    {
        using var parameters = Parameters();
        var head = new ParameterGroup(parameters.Parameters.Skip(2)) { RateFactor = 0.25, DecayFactor = 3 };
        var bias = new ParameterGroup([parameters.Parameters[1]]) { DecayFactor = 0 };
        using Optimizer optimizer = kind == "sgd" ? new Sgd(parameters, [head, bias]) : new AdamW(parameters, [head, bias]);
        float[][] p = Values(parameters), g = Gradients(parameters);

        optimizer.Step(Rate, Decay);

        double[] rates = [Rate, Rate, Rate / 4, Rate / 4], decays = [Decay, 0, 3 * Decay, 3 * Decay];
        float[][] after = Values(parameters);
        for (int i = 0; i < Names.Length; i++)
        {
            double eta = rates[i], lambda = decays[i];
            float[] expected = [.. p[i].Zip(g[i], (w, d) => (float)(kind == "sgd"
                ? w - eta * (d + lambda * w)
                : (1 - eta * lambda) * w - eta * d / (Math.Abs(d) + 1e-8)))];
            new Tolerance(1e-6, 1e-5).Check<float>(after[i], expected, Names[i].Item1);
        }
    }

    [Test]
    public void AdamW_TakesItsConstants()
    {
        const double Beta1 = 0.5, Beta2 = 0.25, Epsilon = 0.125;
        using var parameters = Parameters();
        using var optimizer = new AdamW(parameters, beta1: Beta1, beta2: Beta2, epsilon: Epsilon);
        double[] p = [.. Values(parameters)[0].Select(v => (double)v)], m = new double[p.Length], v = new double[p.Length];
        for (int step = 1; step <= 3; step++)
        {
            var gradient = parameters.Parameters[0].Value.Grad!;
            gradient.CopyFrom([.. gradient.ToArray().Select(d => d * -0.5f)]);
            float[] g = gradient.ToArray();
            optimizer.Step(Rate);
            for (int i = 0; i < p.Length; i++)
            {
                m[i] = Beta1 * m[i] + (1 - Beta1) * g[i];
                v[i] = Beta2 * v[i] + (1 - Beta2) * g[i] * g[i];
                p[i] -= Rate * (m[i] / (1 - Math.Pow(Beta1, step))) / (Math.Sqrt(v[i] / (1 - Math.Pow(Beta2, step))) + Epsilon);
            }
        }
        new Tolerance(1e-6, 1e-5).Check<float>(Values(parameters)[0], [.. p.Select(value => (float)value)], "w");
        Assert.That(() => new AdamW(parameters, beta1: 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new AdamW(parameters, beta2: -0.1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new AdamW(parameters, epsilon: 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Sgd_TakesItsMomentum()
    {
        using var parameters = Parameters();
        using var optimizer = new Sgd(parameters, momentum: 0.5);
        float[] p = Values(parameters)[1], g = Gradients(parameters)[1];

        optimizer.Step(Rate);
        optimizer.Step(Rate);

        new Tolerance(1e-6, 1e-6).Check<float>(Values(parameters)[1], [.. p.Zip(g, (w, d) => (float)(w - Rate * (d + 1.5 * d)))], "bias");
        Assert.That(() => new Sgd(parameters, momentum: 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    /// <summary>
    /// A step of a length of 0.02 times the parameter's own, but where the group says otherwise; vectors only where it says so.
    /// </summary>
    [Test]
    public void Lars_ScalesWhatIsAdapted()
    {
        using var parameters = Parameters();
        var apart = new ParameterGroup([parameters.Parameters[2]]) { Adapted = false };
        var vector = new ParameterGroup([parameters.Parameters[3]]) { Adapted = true };
        using var optimizer = new Lars(parameters, [apart, vector], trustCoefficient: 0.02);
        float[][] p = Values(parameters), g = Gradients(parameters);

        optimizer.Step(1);

        float[][] after = Values(parameters);
        for (int i = 0; i < Names.Length; i++)
        {
            double moved = Math.Sqrt(after[i].Zip(p[i], (a, b) => ((double)a - b) * (a - b)).Sum());
            double expected = i is 0 or 3 ? 0.02 * Norm(p[i]) : Norm(g[i]);
            Assert.That(moved, Is.EqualTo(expected).Within(0.01).Percent, Names[i].Item1);
        }
    }

    [Test]
    public void EveryHoldableGroup_CountsItsSteps()
    {
        using var parameters = Parameters();
        var groups = parameters.Parameters.Take(3).Select(p => new ParameterGroup([p]) { Holdable = true }).ToArray();
        using var optimizer = new AdamW(parameters, groups);
        Assert.That(optimizer.Groups.Select(group => group.Parameters.Single().Name),
            Is.EqualTo(new[] { "head.bias", "w", "bias", "head.w" }));

        optimizer.Step(Rate, 0, 0, groups[0], groups[2]);
        optimizer.Step(Rate, 0, 0, groups[2]);
        optimizer.Step(Rate);

        Assert.That(optimizer.Save()[0], Is.EqualTo(new HostTensor("steps", new Shape(4), []))
            .Using<HostTensor>((a, b) => a.Name == b.Name && a.Shape == b.Shape));
        Assert.That(optimizer.Save()[0].Values, Is.EqualTo(new float[] { 3, 2, 3, 1 }));
    }

    [Test]
    public void WrongGroups_AreRefused_ByName()
    {
        using var parameters = Parameters();
        using var others = Parameters();
        ParameterGroup Of(int i, bool holdable = false) => new([parameters.Parameters[i]]) { Holdable = holdable };

        Assert.That(() => new Sgd(parameters, [Of(0), Of(0)]), Throws.ArgumentException.With.Message.Contains("'w' is in two groups"));
        Assert.That(() => new Sgd(others, [Of(2)]), Throws.ArgumentException.With.Message.Contains("'head.w'"));
        Assert.That(() => new Sgd(parameters, [Of(0, true), Of(1, true), Of(2, true), Of(3, true)]),
            Throws.ArgumentException.With.Message.Contains("3"));
        var plain = Of(1);
        using var optimizer = new Sgd(parameters, [plain]);
        Assert.That(() => optimizer.Step(1, 0, 0, plain), Throws.ArgumentException.With.Message.Contains("'bias'"));
        Assert.That(() => optimizer.Step(1, 0, 0, Of(0, true)), Throws.ArgumentException.With.Message.Contains("'w'"));
        Assert.That(() => new ParameterGroup([]) { RateFactor = -1 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ParameterGroup([]) { DecayFactor = double.NaN }, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    /// <summary>What AdamW divides by the root of cannot be negative, and nothing is taken over of such a state.</summary>
    [Test]
    public void NegativeVariance_IsRefused_AndNothingChanged()
    {
        using var parameters = Parameters();
        using var optimizer = new AdamW(parameters);
        optimizer.Step(Rate);
        var state = optimizer.Save();
        float[] before = [.. state.SelectMany(tensor => tensor.Values)];
        HostTensor[] wrong = [.. state.Select(tensor => tensor with { Values = [.. tensor.Values.Select(value => value + 1)] })];
        wrong[^1].Values[2] = -1e-9f;

        Assert.That(() => optimizer.Load(wrong), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("'variance.head.bias'"));
        Assert.That(() => optimizer.Load(wrong[..^1]),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("variance.head.bias"));
        Assert.That(optimizer.Save().SelectMany(tensor => tensor.Values), Is.EqualTo(before));
    }

    private FlatParameters Parameters()
    {
        var parameters = new NamedTree(Names).On(device, seed: 5);
        float[] gradients = parameters.Values.ToArray(); // the gaps are 0 here too
        parameters.Initialize(6);
        parameters.CompleteGradients().CopyFrom(gradients);
        return parameters;
    }

    private static float[][] Values(FlatParameters parameters) => [.. parameters.Parameters.Select(p => p.Value.ToArray())];

    private static float[][] Gradients(FlatParameters parameters) => [.. parameters.Parameters.Select(p => p.Value.Grad!.ToArray())];

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(v => (double)v * v));
}
