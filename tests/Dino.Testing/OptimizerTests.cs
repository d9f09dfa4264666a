using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using NUnit.Framework;

namespace Dino.Testing;

/// <summary>
/// What holds for every optimizer, whatever it computes: <c>class LionTests : OptimizerTests</c> says how to make it, and adds what its
/// numbers are.
/// </summary>
public abstract class OptimizerTests
{
    // Ragged, larger than a chunk, rank 1 to 4, frozen and last layer.
    private static readonly (string, int[])[] Names =
    [
        ("pos_embed", [1, 5, 7]), ("proj.weight", [4, 3, 2, 2]), ("fc.weight", [97, 131]), ("fc.bias", [97]),
        ("last_layer.weight_g", [9, 1]), ("last_layer.weight_v", [9, 13]),
    ];

    /// <summary>One launch covers them all.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Launches_AreTheSame_ForAnyNumberOfParameters(string deviceName)
    {
        var device = Devices.Open(deviceName);
        long Count(IEnumerable<(string, int[])> names)
        {
            using var parameters = Parameters(device, names);
            using var optimizer = Make(parameters);
            long before = device.Launches;
            optimizer.Step(0.1, 0.1, 1);
            return device.Launches - before;
        }

        long one = Count([("w", [40, 150])]), many = Count(Enumerable.Range(0, 60).Select(i => ($"w{i}", new[] { 3, 5 })));

        Assert.That(many, Is.EqualTo(one).And.InRange(1, 5));
    }

    /// <summary>Neither on the device nor on the managed heap.</summary>
    [Test]
    public void Step_AllocatesNothing_OnceItHasRun()
    {
        using var device = Device.Open("cpu");
        using var parameters = Parameters(device, Names);
        using var teacher = new FlatParameters(new NamedTree(Names), device, trainable: false);
        using var optimizer = Make(parameters, out var lastLayer);
        using var average = new ExponentialMovingAverage(teacher, parameters);
        void Step()
        {
            optimizer.Step(0.01, 0.1, 1, lastLayer);
            average.Update(0.9);
            parameters.ZeroGrad();
        }

        for (int i = 0; i < 50; i++)
            Step();
        long managed = GC.GetAllocatedBytesForCurrentThread();
        int device0 = device.Pool.Allocations;
        for (int i = 0; i < 20; i++)
            Step();

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - managed, Is.Zero);
        Assert.That(device.Pool.Allocations, Is.EqualTo(device0));
    }

    /// <summary>Sums follow from the shapes alone.</summary>
    [Test]
    public void Threads_DoNotChangeABit()
    {
        using var oneThread = Device.Open("cpu", new DeviceOptions { Strict = true, Threads = 1 });
        using var threeThreads = Device.Open("cpu", new DeviceOptions { Strict = true, Threads = 3 });

        float[] one = Train(oneThread), three = Train(threeThreads);

        Assert.That(three, Is.EqualTo(one));
    }

    /// <summary>Three steps, state included.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Devices_Agree(string deviceName) =>
        Tolerance.Balanced.Check<float>(Train(Devices.Open(deviceName)), Train(Devices.Open("cpu")),
            $"{GetType().Name} on {deviceName} against cpu");

    /// <summary>What is not to move does not.</summary>
    [Test]
    public void Frozen_NeverMoves_AndAHeldGroupSitsOut_StateIncluded()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var parameters = Parameters(device, Names, frozen: name => name is "fc.bias" or "last_layer.weight_g");
        using var optimizer = Make(parameters, out var lastLayer);
        Assert.That(optimizer.Parameters.Select(p => p.Name), Has.None.EqualTo("fc.bias").And.None.EqualTo("last_layer.weight_g"));
        var start = parameters.Save();

        optimizer.Step(0.1, 0.1, 1, lastLayer);
        Assert.That(Moved(), Is.EqualTo(new[] { "pos_embed", "proj.weight", "fc.weight" }));
        Assert.That(optimizer.Save().Where(t => t.Name.Contains("last_layer", StringComparison.Ordinal)).SelectMany(t => t.Values),
            Is.All.Zero);

        optimizer.Step(0.1, 0.1, 1);
        Assert.That(Moved(), Is.EqualTo(new[] { "pos_embed", "proj.weight", "fc.weight", "last_layer.weight_v" }));

        string[] Moved() => [.. parameters.Save().Zip(start).Where(p => !p.First.Values.SequenceEqual(p.Second.Values))
            .Select(p => p.First.Name)];
    }

    /// <summary>Whatever others did meanwhile: its corrections and momentum start when it does.</summary>
    [Test]
    public void TheFirstStepThatAHeldGroupTakes_IsItsFirst()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        float[] After(int cancelled)
        {
            using var parameters = Parameters(device, Names);
            using var optimizer = Make(parameters, out var lastLayer);
            for (int i = 0; i <= cancelled; i++)
                optimizer.Step(0.1, 0.1, 1, i < cancelled ? [lastLayer] : []);
            return parameters.Save().Single(t => t.Name == "last_layer.weight_v").Values;
        }

        Assert.That(After(cancelled: 3), Is.EqualTo(After(cancelled: 0)));
    }

    /// <summary>What the log shows.</summary>
    [Test]
    public void Norms_AreThoseBeforeClipping()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var parameters = Parameters(device, Names);
        using var optimizer = Make(parameters, out var lastLayer);
        float[] expected = [.. parameters.Parameters.Select(p => (float)Math.Sqrt(p.Value.Grad!.ToArray().Sum(g => (double)g * g)))];

        optimizer.Step(0.1, 0.1, clip: 0.01, lastLayer);

        new Tolerance(0, 1e-6).Check<float>(optimizer.Norms.ToArray(), expected, "norms");
    }

    /// <summary>Gradients whose squares have no float are measured and shortened as any others.</summary>
    [TestCase(1e25f)]
    [TestCase(1e-25f)]
    public void Norms_OfHugeAndTinyGradients(float size)
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var parameters = Parameters(device, [("w", [2, 3000])]);
        using var optimizer = Make(parameters);
        float[] gradients = [.. parameters.CompleteGradients().ToArray().Select(g => g * size)];
        parameters.CompleteGradients().CopyFrom(gradients);
        double norm = Math.Sqrt(gradients.Sum(g => (double)g * g));

        optimizer.Step(0.1, 0, clip: size > 1 ? norm / 4 : 0);

        Assert.That(optimizer.Norms.ToArray()[0] / norm, Is.EqualTo(1).Within(1e-6));
        Assert.That(parameters.Values.ToArray(), Has.None.NaN);
    }

    /// <summary>And the state of something else is refused.</summary>
    [Test]
    public void SavedState_GoesOnBitForBit()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var first = Parameters(device, Names);
        using var second = Parameters(device, Names);
        using var straight = Make(first, out var lastLayer);
        using var resumed = Make(second);
        straight.Step(0.1, 0.1, 1, lastLayer);
        straight.Step(0.1, 0.1, 1);

        second.Load(first.Save());
        resumed.Load(straight.Save());
        straight.Step(0.1, 0.1, 1);
        resumed.Step(0.1, 0.1, 1);

        Assert.That(second.Values.ToArray(), Is.EqualTo(first.Values.ToArray()));
        Assert.That(() => resumed.Load(straight.Save().Append(new HostTensor("x", new Shape(1), [1]))),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("x"));
        Assert.That(() => resumed.Load(straight.Save().Skip(1)), Throws.InstanceOf<InvalidDataException>());
    }

    /// <summary>The optimizer with its usual constants.</summary>
    protected abstract Optimizer Make(FlatParameters parameters, IReadOnlyList<ParameterGroup> groups);

    private Optimizer Make(FlatParameters parameters) => Make(parameters, out _);

    private Optimizer Make(FlatParameters parameters, out ParameterGroup lastLayer)
    {
        lastLayer = new(parameters.Parameters.Where(p => p.Name.StartsWith("last_layer", StringComparison.Ordinal))) { Holdable = true };
        return Make(parameters, [lastLayer]);
    }

    private float[] Train(Device device)
    {
        using var parameters = Parameters(device, Names);
        using var optimizer = Make(parameters, out var lastLayer);
        for (int step = 0; step < 3; step++)
            optimizer.Step(0.05, 0.1, 2, step == 0 ? [lastLayer] : []);
        return [.. parameters.Values.ToArray(), .. optimizer.Norms.ToArray(), .. optimizer.Save().SelectMany(t => t.Values)];
    }

    /// <summary>Parameters with first values, and gradients of their size.</summary>
    protected static FlatParameters Parameters(Device device, IEnumerable<(string, int[])> names, Func<string, bool>? frozen = null)
    {
        var parameters = new FlatParameters(new NamedTree(names, frozen), device, trainable: true);
        parameters.Initialize(11);
        float[] gradients = parameters.Values.ToArray(); // the gaps are 0 here too
        parameters.Initialize(12);
        parameters.CompleteGradients().CopyFrom(gradients);
        return parameters;
    }
}
