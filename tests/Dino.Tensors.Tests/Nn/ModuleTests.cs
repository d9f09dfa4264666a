using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Nn;

/// <summary>Names and order of parameters, which checkpoints depend on.</summary>
public class ModuleTests
{
    [Test]
    public void PartOfItself_IsRefused()
    {
        var inner = new Ring();
        var outer = new Ring();
        outer.Add("inner", inner);
        Assert.That(() => outer.Add("self", outer), Throws.ArgumentException.With.Message.Contains("self"));
        Assert.That(() => inner.Add("outer", outer), Throws.ArgumentException.With.Message.Contains("outer"));
    }

    [Test]
    public void TwoTensorsOfOneName_AreRefused()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        var root = new Ring();
        root.Add("a", new Ring("b.c"));
        root.Add("a.b", new Ring("c"));
        Assert.That(() => new FlatParameters(root, device, trainable: false), Throws.ArgumentException.With.Message.Contains("'a.b.c'"));
    }

    [TestCase(0f)]
    [TestCase(-1f)]
    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void InitialDistributionsWithoutAWidth_AreRefused(float width)
    {
        Assert.That(() => Init.TruncatedNormal(width), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => Init.Uniform(width), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private sealed class Ring : Module
    {
        public Ring(string? tensor = null)
        {
            if (tensor is not null)
                Register(tensor, new Shape(1), Init.Zeros);
        }

        public void Add(string name, Module part) => Register(name, part);
    }

    [Test]
    public void Names_AreThoseOfThePathFromTheRoot_OwnTensorsFirst()
    {
        var network = new Network();

        Assert.That(network.Parameters.Select(p => p.Name), Is.EqualTo(new[]
        {
            "cls_token", "last_layer.weight_g", "blocks.0.fc1.weight", "blocks.0.fc1.bias", "blocks.1.fc1.weight", "blocks.1.fc1.bias",
                "norm.weight",
            "norm.bias",
        }));
        Assert.That(network.Buffers.Select(b => b.Name), Is.EqualTo(new[] { "blocks.0.running_mean", "blocks.1.running_mean" }));
        Assert.That(network.Parameters.Where(p => p.Decayed).Select(p => p.Name), Is.EqualTo(new[]
        {
            "cls_token", "last_layer.weight_g", "blocks.0.fc1.weight", "blocks.1.fc1.weight",
        }));
        Assert.That(network.Parameters.Where(p => p.Frozen).Select(p => p.Name), Is.EqualTo(new[] { "last_layer.weight_g" }));
    }

    [Test]
    public void Bias_IsNeverDecayed_WhateverItsRank()
    {
        var tree = new NamedTree([("attn.bias", [2, 3]), ("bias", [2, 3]), ("weight", [3])]);

        // As in the reference: the name must end in ".bias".
        Assert.That(tree.Parameters.Select(p => p.Decayed), Is.EqualTo(new[] { false, true, false }));
    }

    [Test]
    public void TakenNames_AndSecondParents_AreErrors()
    {
        Assert.That(() => new NamedTree([("a", [1]), ("a", [2])]), Throws.ArgumentException.With.Message.Contains("'a'"));
        Assert.That(() => new TwoParents(), Throws.ArgumentException.With.Message.Contains("second"));
    }

    [Test]
    public void Value_BeforeThereIsMemory_NamesTheRemedy()
    {
        var linear = new Linear(2, 3, bias: false);

        Assert.That(linear.Bias, Is.Null);
        Assert.That(() => linear.Weight.Value, Throws.InvalidOperationException.With.Message.Contains("model.On(device, seed)"));
    }

    private sealed class Network : Module
    {
        public Network()
        {
            for (int i = 0; i < 2; i++)
                Register($"blocks.{i}", new Block());
            Register("norm", new LayerNorm(4, 1e-6f));
            Register("cls_token", new Shape(1, 1, 4), Init.Zeros);
            Register("last_layer.weight_g", new Shape(6, 1), Init.Ones, frozen: true);
        }
    }

    private sealed class Block : Module
    {
        public Block()
        {
            Register("fc1", new Linear(4, 5));
            RegisterBuffer("running_mean", new Shape(5), Init.Zeros);
        }
    }

    private sealed class TwoParents : Module
    {
        public TwoParents() => Register("second", Register("first", new Block()));
    }
}
