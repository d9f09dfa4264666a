using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class AllGatherTests : OpTests<AllGatherTests>, IOpCases
{
    // Both ranks' rows weigh the same in what follows, so that the gradient of the other's loss is this one's.
    public static IEnumerable<OpCase> Cases =>
    [
        new("AllGather", x => Both(x[0].AllGather(new Twins()), 3), new Shape(3, 5)),
        new("AllGather of a vector", x => Both(x[0].AllGather(new Twins()), 7), new Shape(7)),
    ];

    [Test]
    public void OneRank_IsTheTensorItself_WithoutALaunch()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 3));
        long before = device.Launches;
        Assert.That(x.AllGather(OneRank.Instance), Is.SameAs(x));
        OneRank.Instance.Sum(x);
        OneRank.Instance.Barrier();
        Assert.That(device.Launches, Is.EqualTo(before));
    }

    /// <summary>Every rank has the rows of all; a rank's gradient is the sum of what all ranks' losses say of its rows.</summary>
    [Test]
    public void Ranks_GetAllRows_AndTheGradientsOfAllLosses()
    {
        (float[] Rows, float[] Gradient)[] ranks = ThreadRanks.Run(3, (all, device) =>
        {
            using var arena = device.BeginArena();
            using var tape = new Tape(device);
            var x = Tensor.From(device, (float[])[all.Rank, 10 + all.Rank], new Shape(1, 2));
            x.RequiresGrad = true;
            tape.Record();
            var rows = x.AllGather(all); // (3, 2)
            var loss = rows.Multiply(Tensor.From(device, (float[])[1, 2, 3, 4, 5, 6], new Shape(3, 2))).Scale(all.Rank + 1).Sum();
            tape.Backward(loss);
            return (rows.ToArray(), x.Grad!.ToArray());
        });
        for (int rank = 0; rank < 3; rank++)
        {
            Assert.That(ranks[rank].Rows, Is.EqualTo(new float[] { 0, 10, 1, 11, 2, 12 }));
            Assert.That(ranks[rank].Gradient, Is.EqualTo(new float[] { (1 + 2 + 3) * (2 * rank + 1), (1 + 2 + 3) * (2 * rank + 2) }));
        }
    }

    /// <summary>An implementation may use ops: they are no part of the recording.</summary>
    [Test]
    public void OpsOfTheRanks_AreNotRecorded()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, (float[])[1, 2], new Shape(2, 1));
        x.RequiresGrad = true;
        tape.Record();
        var y = x.AllGather(new Twins());
        tape.Backward(y.Sum());
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 2, 2 }));
    }

    [Test]
    public void WrongNumberOfRows_IsRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(() => Tensor.Zeros(device, new Shape(2, 3)).AllGather(new Twins { Count = 3 }),
            Throws.ArgumentException.With.Message.Contains("(4, 3)"));
        Assert.That(() => Tensor.Zeros(device, new Shape()).AllGather(new Twins()), Throws.ArgumentException);
    }

    private static Tensor Both(Tensor y, int rows) => y.Slice(0, 0, rows).Add(y.Slice(0, rows, rows));

    /// <summary>Two ranks that hold and compute the same.</summary>
    private sealed class Twins : IRanks
    {
        public int Rank => 1;

        public int Count { get; init; } = 2;

        public void Sum(Tensor tensor)
        {
            using var arena = tensor.Device.BeginArena();
            tensor.CopyFrom(tensor.Scale(2));
        }

        public Tensor Gather(Tensor tensor) => ConcatOp.Concat(0, tensor, tensor);

        public void Barrier() { }
    }
}
