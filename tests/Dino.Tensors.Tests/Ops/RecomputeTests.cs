using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class RecomputeTests : OpTests<RecomputeTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        new("Recompute", x => x[0].Recompute(2f, static (x, factor) => x.Gelu().Scale(factor)), new Shape(3, 5)),
        new("Recompute twice", x => x[0].Recompute(x[1], static (x, w) => x.Multiply(w).Recompute(0, static (y, _) => y.Gelu())),
            new Shape(7), new Shape(7)),
    ];

    [Test]
    public void Gradients_AreThoseOfTheFunctionItself_ToTheLastBit()
    {
        var device = Devices.Open("cpu");
        float[] plain = Gradients(device, recompute: false, out long kept), again = Gradients(device, recompute: true, out long keptAgain);
        Assert.That(again, Is.EqualTo(plain));
        Assert.That(keptAgain, Is.LessThan(kept / 3));
    }

    /// <summary>Of a batch norm inside, and inside a part within a part: as if nothing were recomputed.</summary>
    [Test]
    public void RunningStatistics_MoveOnce()
    {
        float[] plain = Statistics(static (x, norm) => norm.Forward(norm.Forward(x, training: true).Scale(2), training: true));
        float[] again = Statistics(static (x, norm) => x.Recompute(norm, static (x, norm) =>
            norm.Forward(x, training: true).Recompute(norm, static (x, norm) => norm.Forward(x.Scale(2), training: true))));
        Assert.That(again, Is.EqualTo(plain));
        Assert.That(Devices.Open("cpu").IsRecomputing, Is.False);
    }

    private static float[] Statistics(Func<Tensor, BatchNorm, Tensor> part)
    {
        var device = Devices.Open("cpu");
        var norm = new BatchNorm(2);
        using var parameters = new FlatParameters(norm, device, trainable: true);
        parameters.Initialize(1);
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        tape.Record();
        var x = Tensor.From(device, [1f, 2, 3, 5, 8, 13], new Shape(3, 2));
        x.RequiresGrad = true;
        tape.Backward(part(x, norm).Multiply(x).Sum());
        return [.. parameters.Save().SelectMany(tensor => tensor.Values), .. x.Grad!.ToArray()];
    }

    private static float[] Gradients(Device device, bool recompute, out long kept)
    {
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var random = new System.Random(5);
        Tensor x = Random(new Shape(40, 64)), w1 = Random(new Shape(256, 64)), b1 = Random(new Shape(256)), w2 = Random(new Shape(64, 256));
        var b2 = Random(new Shape(64));
        tape.Record();
        long before = device.Pool.UsedBytes;
        var y = x;
        for (int i = 0; i < 4; i++)
        {
            using var scope = device.BeginArena();
            y = scope.Keep(recompute ? y.Recompute((w1, b1, w2, b2), static (x, w) => Layer(x, w)) : Layer(y, (w1, b1, w2, b2)));
        }
        kept = device.Pool.UsedBytes - before;
        tape.Backward(y, y);
        return [.. y.ToArray(), .. x.Grad!.ToArray(), .. w1.Grad!.ToArray(), .. b1.Grad!.ToArray(), .. w2.Grad!.ToArray(),
            .. b2.Grad!.ToArray()];

        Tensor Random(Shape shape)
        {
            var tensor = Tensor.From(device, [.. Enumerable.Range(0, shape.Count).Select(_ => random.NextSingle() - 0.5f)], shape);
            tensor.RequiresGrad = true;
            return tensor;
        }
    }

    private static Tensor Layer(Tensor x, (Tensor W1, Tensor B1, Tensor W2, Tensor B2) w) =>
        x.FeedForward(w.W1, w.B1, w.W2, w.B2, x, null);
}
