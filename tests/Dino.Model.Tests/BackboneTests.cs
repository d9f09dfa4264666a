using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>A backbone of another kind, the pass that is handed through a network, and dropped branches on several ranks.</summary>
public class BackboneTests
{
    private static readonly ViTConfig Config = new() { ImageSize = 16, Patch = 8, Dim = 16, Depth = 3, Heads = 2, DropPathRate = 0.6f };

    [Test]
    public void ABackboneWithoutTokens_SaysThatItHasNone()
    {
        var colours = new MeanColours(3);

        Assert.That(() => colours.Attentive(),
            Throws.ArgumentException.With.Message.Contains("MeanColours").And.Message.Contains("patch tokens"));
        Assert.That(new VisionTransformer(Config).Attentive(), Is.InstanceOf<VisionTransformer>());
    }

    [Test]
    public void AHeadOnAnotherBackbone_TakesItsWidth()
    {
        var device = Devices.Open("cpu");
        var model = new MultiCropModel(new MeanColoursConfig { InputChannels = 4 },
            new DinoHeadConfig { OutDim = 6, Layers = 1, BottleneckDim = 5 });
        using var parameters = new FlatParameters(model, device, trainable: false);
        parameters.Initialize(1);
        using var arena = device.BeginArena();

        var logits = model.Forward(Tensor.Zeros(device, new Shape(2, 4, 8, 8)), Pass.Evaluation);

        Assert.That(logits.Shape, Is.EqualTo(new Shape(2, 6)));
    }

    [Test]
    public void APassLeftAtItsDefault_IsOfThisProcessAlone()
    {
        Pass pass = default;

        Assert.That(pass.Ranks, Is.SameAs(OneRank.Instance));
        Assert.That(pass.Training, Is.False);
    }

    /// <summary>Batch normalisation in the head takes its statistics of the batch in training, and else the running ones.</summary>
    [Test]
    public void Training_IsOfThePass()
    {
        var device = Devices.Open("cpu");
        var head = new DinoHead(4, new DinoHeadConfig { OutDim = 6, Layers = 2, HiddenDim = 8, BottleneckDim = 5, UseBatchNorm = true });
        using var parameters = new FlatParameters(head, device, trainable: false);
        parameters.Initialize(1);
        using var arena = device.BeginArena();
        var x = Tensor.From(device, Numbers(12), new Shape(3, 4));

        float[] before = head.Forward(x, Pass.Evaluation).ToArray(), again = head.Forward(x, Pass.Evaluation).ToArray();
        float[] training = head.Forward(x, new Pass(Training: true, OneRank.Instance)).ToArray();
        float[] after = head.Forward(x, Pass.Evaluation).ToArray();

        Assert.That(again, Is.EqualTo(before));
        Assert.That(training, Is.Not.EqualTo(before));
        Assert.That(after, Is.Not.EqualTo(before), "training moves the running statistics");
    }

    /// <summary>Two ranks with half of the pictures each drop the branches that one rank drops of them all.</summary>
    [Test]
    public void DroppedBranches_GoByThePlaceInTheWholeBatch()
    {
        const int pictures = 4, views = 2, picture = 3 * 16 * 16;
        float[] all = Numbers(views * pictures * picture);
        float[] whole = Forward(all, OneRank.Instance, pictures);

        var halves = ThreadRanks.Run(2, (ranks, _) =>
        {
            float[] own = [.. Enumerable.Range(0, views).SelectMany(view =>
                all.Skip((view * pictures + ranks.Rank * pictures / 2) * picture).Take(pictures / 2 * picture))];
            return Forward(own, ranks, pictures / 2);
        });

        float[] joined = [.. Enumerable.Range(0, views).SelectMany(view =>
            halves.SelectMany(half => half.Skip(view * pictures / 2 * Config.Dim).Take(pictures / 2 * Config.Dim)))];
        Tolerance.Balanced.Check<float>(joined, whole, "features");
    }

    [Test]
    public void DroppedBranchesOfSeveralRanks_NeedTheNumberOfPictures() => Assert.That(
        () => ThreadRanks.Run(2, (ranks, device) => new RandomStochasticDepth(1).Keep(device, 0, 0, 4, 0.5f, ranks)!.ToArray()),
        Throws.TypeOf<AggregateException>().With.InnerException.Message.Contains(nameof(RandomStochasticDepth.Pictures)));

    /// <summary>The gradients are those of a pass that keeps everything, to the last bit, with branches dropped.</summary>
    [Test]
    public void Recomputing_GivesTheSameGradients()
    {
        var device = Devices.Open("cpu");
        var images = Numbers(2 * 3 * 16 * 16);
        var gradients = Array.ConvertAll((bool[])[false, true], recompute =>
        {
            var vit = new VisionTransformer(Config);
            using var parameters = new FlatParameters(vit, device, trainable: true);
            parameters.Initialize(1);
            using var arena = device.BeginArena();
            using var tape = new Tape(device);
            tape.Record();
            var pass = new Pass(Training: true, OneRank.Instance, new RandomStochasticDepth(3), recompute);
            var y = vit.Forward(Tensor.From(device, images, new Shape(2, 3, 16, 16)), pass);
            tape.Backward(y, Tensor.From(device, Numbers(2 * Config.Dim), y.Shape));
            return vit.Parameters.SelectMany(parameter => parameter.Value.Grad!.ToArray()).ToArray();
        });

        Assert.That(gradients[1], Is.EqualTo(gradients[0]));
        Assert.That(gradients[0], Has.Some.Not.Zero);
    }

    private static float[] Forward(float[] images, IRanks ranks, int pictures)
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        var vit = new VisionTransformer(Config);
        using var parameters = new FlatParameters(vit, device, trainable: false);
        parameters.Initialize(5);
        foreach (var parameter in vit.Parameters.Where(parameter => parameter.Shape.Rank > 1))
            parameter.Value.CopyFrom(Numbers(parameter.Shape.Count));
        using var arena = device.BeginArena();
        var depth = new RandomStochasticDepth(9) { Step = 2, Pictures = pictures };
        return vit.Forward(Tensor.From(device, images, new Shape(images.Length / 768, 3, 16, 16)), new Pass(Training: true, ranks, depth))
            .ToArray();
    }

    private static float[] Numbers(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1) * 0.4f)];
    }

    private sealed record MeanColoursConfig : BackboneConfig
    {
        public override int InputChannels { get; init; } = 3;

        public override int Width => InputChannels;

        public override int SmallestSize => 1;

        public override Backbone Build() => new MeanColours(InputChannels);

        public override void Validate() { }

        public override string Describe() => "mean colours";
    }

    /// <summary>A network of another kind: the mean of every channel.</summary>
    private sealed class MeanColours(int channels) : Backbone
    {
        public override int Width => channels;

        public override int SmallestSize => 1;

        public override int Channels => channels;

        public override Tensor Forward(Tensor images, in Pass pass) =>
            images.Reshape(new Shape(images.Shape[0], channels, images.Shape[2] * images.Shape[3])).Mean(2);
    }
}
