using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Nn;

/// <summary>The memory of a module tree: layout, initial values, gradients, loading.</summary>
[TestFixture("cpu")]
[TestFixture("cpu:debug")]
public class FlatParametersTests(string deviceName)
{
    private static readonly (string, int[])[] Names = [("a.weight", [3, 7]), ("a.bias", [3]), ("last_layer.weight_g", [5, 1]), ("b", [17])];

    private Device device = null!;

    [SetUp]
    public void Open() => device = Device.Open(deviceName, new DeviceOptions { Strict = true });

    [TearDown]
    public void Close() => device.Dispose();

    [Test]
    public void Layout_IsAligned_WithoutOverlap_AndTheGapsAreZero()
    {
        using var flat = new FlatParameters(new NamedTree(Names), device, trainable: true);

        Assert.That(flat.Segments.Select(s => s.Start), Is.EqualTo(new[] { 0, 32, 48, 64, 96 }));
        Assert.That(flat.ParameterLength, Is.EqualTo(96));
        Assert.That(flat.Count, Is.EqualTo(21 + 3 + 5 + 17));
        Assert.That(flat.Values.ToArray(), Is.All.Zero);
        Assert.That(flat.CompleteGradients().ToArray(), Is.All.Zero);

        foreach (var parameter in flat.Parameters)
            parameter.Value.Fill(1);
        Assert.That(flat.Values.ToArray().Sum(), Is.EqualTo(flat.Count));
    }

    [Test]
    public void Gradients_GatherInTheFlatBuffer_AndOnlyForWhatIsNotFrozen()
    {
        using var flat = new FlatParameters(new NamedTree(Names, frozen: name => name.EndsWith("_g", StringComparison.Ordinal)), device,
            trainable: true);
        foreach (var parameter in flat.Parameters)
            parameter.Value.Fill(2);
        using var tape = new Tape(device);

        for (int pass = 0; pass < 2; pass++)
        {
            using var arena = device.BeginArena();
            tape.Record();
            var y = flat.Parameters[1].Value.Relu();
            flat.Parameters[2].Value.Relu();
            tape.Backward(y, Tensor.From(device, [1f, 2f, 3f], new Shape(3)));
        }

        float[] expected = new float[96];
        (expected[32], expected[33], expected[34]) = (2, 4, 6);
        Assert.That(flat.CompleteGradients().ToArray(), Is.EqualTo(expected));
        Assert.That(flat.Parameters[2].Value.RequiresGrad, Is.False);
        Assert.That(flat.Parameters[2].Value.Grad, Is.Null);

        flat.ZeroGrad();
        Assert.That(flat.Parameters[1].Value.Grad!.ToArray(), Is.All.Zero);
    }

    [Test]
    public void Initialize_DependsOnTheSeedAlone_AndLeavesTheGaps()
    {
        using var first = new FlatParameters(new NamedTree(Names), device, trainable: true);
        using var second = new FlatParameters(new NamedTree(Names, frozen: _ => true), device, trainable: false);
        first.Initialize(7);
        second.Initialize(7);
        float[] values = first.Flat.ToArray();

        Assert.That(second.Flat.ToArray(), Is.EqualTo(values));
        Assert.That(values.AsSpan(21, 11).ToArray(), Is.All.Zero);
        Assert.That(values.AsSpan(96, 3).ToArray(), Is.All.EqualTo(1)); // the buffer
        Assert.That(values.AsSpan(0, 3).ToArray(), Is.Not.EqualTo(values.AsSpan(32, 3).ToArray()));
        second.Initialize(8);
        Assert.That(second.Values.ToArray(), Is.Not.EqualTo(first.Values.ToArray()));
    }

    [Test]
    public void Init_HasTheDistributionItIsNamedFor()
    {
        using var uniform = new FlatParameters(new NamedTree([("w", [100, 200])], init: Init.Uniform(0.25f)), device, trainable: false);
        using var normal = new FlatParameters(new NamedTree([("w", [100, 200])], init: Init.TruncatedNormal(2)), device, trainable: false);
        uniform.Initialize(1);
        normal.Initialize(1);
        float[] u = uniform.Values.ToArray(), n = normal.Values.ToArray();

        Assert.That(u, Is.All.InRange(-0.25f, 0.25f));
        Assert.That(u.Average(x => x * x), Is.EqualTo(0.0625 / 3).Within(4e-4));
        Assert.That(u.Average(), Is.EqualTo(0).Within(5e-3));
        Assert.That(n, Is.All.InRange(-2f, 2f));
        // A standard normal cut at ±1 has the variance 1 − 2 φ(1) / (2 Φ(1) − 1) = 0.291125; here times 4.
        Assert.That(n.Average(x => x * x), Is.EqualTo(4 * 0.291125).Within(0.03));
        Assert.That(n.Average(), Is.EqualTo(0).Within(0.03));
    }

    [Test]
    public void Save_AndLoad_KeepEverything_BuffersIncluded()
    {
        using var saved = new FlatParameters(new NamedTree(Names), device, trainable: false);
        using var loaded = new FlatParameters(new NamedTree(Names), device, trainable: true);
        saved.Initialize(3);

        loaded.Load(saved.Save().Reverse());

        Assert.That(loaded.Flat.ToArray(), Is.EqualTo(saved.Flat.ToArray()));
        Assert.That(saved.Save().Select(t => (t.Name, t.Shape)), Is.EqualTo(saved.Segments.Select(s => (s.Name, s.Shape))));
    }

    [Test]
    public void Load_NamesAllThatIsWrong_AndChangesNothing()
    {
        using var flat = new FlatParameters(new NamedTree(Names), device, trainable: false);
        flat.Initialize(3);
        float[] before = flat.Values.ToArray();
        List<HostTensor> given = [.. flat.Save().Select(t => t with { Values = new float[t.Values.Length] })];
        given.RemoveAt(0);
        given[0] = new HostTensor("a.bias", new Shape(4), new float[4]);
        given.Add(new HostTensor("stranger", new Shape(1), new float[1]));

        Assert.That(() => flat.Load(given), Throws.InstanceOf<InvalidDataException>().With.Message
            .Contains("missing: a.weight (3, 7)").And.Message.Contains("another shape: a.bias is (4)")
                .And.Message.Contains("unexpected: stranger"));
        Assert.That(flat.Values.ToArray(), Is.EqualTo(before));
    }

    [Test]
    public void CopyFrom_TakesAllByName_AndNamesWhatIsMissing()
    {
        using var student = new FlatParameters(new NamedTree(Names), device, trainable: true);
        using var teacher = new FlatParameters(new NamedTree(Names, frozen: _ => true), device, trainable: false);
        using var other = new FlatParameters(new NamedTree([.. Names[..3], ("b", [18])]), device, trainable: false);
        student.Initialize(5);

        teacher.CopyFrom(student);

        Assert.That(teacher.Flat.ToArray(), Is.EqualTo(student.Flat.ToArray()));
        Assert.That(() => other.CopyFrom(student), Throws.ArgumentException.With.Message.Contains("b (18)").And.Message.Contains("(17)"));
    }

    [Test]
    public void CopyFrom_LeavesWhatOnlyTheOtherHas()
    {
        using var student = new NamedTree([("predictor", [7]), .. Names]).On(device, seed: 5);
        using var teacher = new NamedTree([.. Names.Reverse()]).On(device, seed: 6, trainable: false);

        teacher.CopyFrom(student);

        var values = student.Save().ToDictionary(tensor => tensor.Name);
        foreach (var tensor in teacher.Save())
            Assert.That(tensor.Values, Is.EqualTo(values[tensor.Name].Values), tensor.Name);
        Assert.That(() => student.CopyFrom(teacher), Throws.ArgumentException.With.Message.Contains("predictor (7)"));
    }

    /// <summary>As if they were the parts of one tree: its names, its layout, its first values.</summary>
    [Test]
    public void SeveralRoots_AreATreeUntilItIsDisposedOf()
    {
        NamedTree backbone = new(Names), projector = new([("0.weight", [4, 5])]);
        var flat = new FlatParameters(device, trainable: true, ("backbone", backbone), ("projector", projector));
        Assert.That(flat.Segments.Select(segment => segment.Name), Is.EqualTo((string[])
        [
            .. Names.Select(name => "backbone." + name.Item1), "projector.0.weight", "backbone.running_mean", "projector.running_mean",
        ]));
        Assert.That(projector.Parameters.Single().Name, Is.EqualTo("projector.0.weight"));
        using (var whole = new Parts(new NamedTree(Names), new NamedTree([("0.weight", [4, 5])])).On(device, seed: 3))
        {
            flat.Initialize(3);
            Assert.That(flat.Flat.ToArray(), Is.EqualTo(whole.Flat.ToArray()));
        }
        Assert.That(() => new FlatParameters(device, false, ("again", projector)),
            Throws.ArgumentException.With.Message.Contains("'projector'"));

        flat.Dispose();

        using var again = projector.On(device);
        Assert.That(projector.Parameters.Single().Name, Is.EqualTo("0.weight"));
        Assert.That(() => new FlatParameters(device, false, ("backbone", backbone), ("projector", projector)),
            Throws.ArgumentException.With.Message.Contains("memory"));
        Assert.That(() => new FlatParameters(device, false, ("backbone", backbone), ("backbone", new NamedTree(Names))),
            Throws.ArgumentException);
        using var alone = backbone.On(device); // what was refused let go of it
        Assert.That(backbone.Parameters.First().Name, Is.EqualTo("a.weight"));
    }

    [Test]
    public void On_IsTheLongWay()
    {
        using var longer = new FlatParameters(new NamedTree(Names), device, trainable: true);
        longer.Initialize(7);
        using var one = new NamedTree(Names).On(device, seed: 7);
        using var still = new NamedTree(Names).On(device, seed: 7, trainable: false);

        Assert.That(one.Flat.ToArray(), Is.EqualTo(longer.Flat.ToArray()));
        Assert.That(still.Flat.ToArray(), Is.EqualTo(longer.Flat.ToArray()));
        Assert.That((one.IsTrainable, still.IsTrainable), Is.EqualTo((true, false)));
        Assert.That(() => still.CompleteGradients(), Throws.InvalidOperationException);
    }

    [Test]
    public void Dispose_GivesAllMemoryBack_AndTheTreeCanBePlacedAgain()
    {
        var tree = new NamedTree(Names);
        var flat = new FlatParameters(tree, device, trainable: true);
        Assert.That(() => new FlatParameters(tree, device, trainable: true), Throws.ArgumentException.With.Message.Contains("a.weight"));

        flat.Dispose();

        Assert.That(device.Pool.UsedBytes, Is.Zero);
        using var again = new FlatParameters(tree, device, trainable: true);
        Assert.That(tree.Parameters.First().Value.Shape, Is.EqualTo(new Shape(3, 7)));
    }

    private sealed class Parts : Module
    {
        public Parts(Module backbone, Module projector)
        {
            Register("backbone", backbone);
            Register("projector", projector);
        }
    }
}
