using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>Two ranks with half the batch each compute what one rank with all of it does.</summary>
public class RanksTests
{
    private const int Rows = 46, Width = 19; // several splits, the last one short

    /// <summary>Column means far from 0, and different on the two ranks: sums of squares would cancel.</summary>
    [Test]
    public void BatchNorm_ForwardBackwardAndRunningStatistics([Values] bool recompute)
    {
        var random = new System.Random(5);
        float[] x = [.. Enumerable.Range(0, Rows * Width).Select(i => 300 + 50 * (i / (Rows * Width / 2)) + random.NextSingle())];
        float[] dy = [.. Enumerable.Range(0, x.Length).Select(_ => random.NextSingle() - 0.3f)];
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        var one = Normalise(device, OneRank.Instance, x, dy, recompute);

        var two = ThreadRanks.Run(2, (ranks, own) =>
            Normalise(own, ranks, Half(x, ranks.Rank), Half(dy, ranks.Rank), recompute));

        var tolerance = new Tolerance(1e-5, 1e-4);
        tolerance.Check<float>([.. two[0].Y, .. two[1].Y], one.Y, "y");
        tolerance.Check<float>([.. two[0].Dx, .. two[1].Dx], one.Dx, "dx");
        // As those of any parameter: each rank has its own rows' part.
        tolerance.Check<float>([.. two[0].DWeight.Zip(two[1].DWeight, (a, b) => a + b)], one.DWeight, "dweight");
        tolerance.Check<float>([.. two[0].DBias.Zip(two[1].DBias, (a, b) => a + b)], one.DBias, "dbias");
        tolerance.Check<float>(two[0].Running, one.Running, "running statistics");
        Assert.That(two[1].Running, Is.EqualTo(two[0].Running));
    }

    [Test]
    public void BatchNorm_OfOneRowARank_HasAVarianceAllTheSame()
    {
        float[][] y = ThreadRanks.Run(2, (ranks, device) =>
        {
            using var arena = device.BeginArena();
            Tensor ones = Tensor.From(device, (float[])[1, 1], new Shape(2)), zeros = Tensor.Zeros(device, new Shape(2));
            var x = Tensor.From(device, (float[])[ranks.Rank, 2 * ranks.Rank], new Shape(1, 2));
            return x.BatchNorm(ones, zeros, Tensor.Zeros(device, new Shape(2)), Tensor.Zeros(device, new Shape(2)), training: true, eps: 0,
                ranks: ranks)
                .ToArray();
        });
        Assert.That(y, Is.EqualTo(new[] { new float[] { -1, -1 }, [1, 1] }));
    }

    /// <summary>Three views of six pictures on one rank, and of three on each of two.</summary>
    [Test]
    public void KeepMask_IsThatOfTheWholeBatch()
    {
        const int Views = 3, Batch = 6;
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var arena = device.BeginArena();
        float[] whole = DropPath.KeepMask(device, Views * Batch, 0.5f, 7, 1, 2, 3).ToArray();

        float[][] halves = ThreadRanks.Run(2, (ranks, own) =>
        {
            using var inner = own.BeginArena();
            return DropPath.KeepMask(own, Views * Batch / 2, 0.5f, 7, 1, 2, 3, Batch / 2, ranks).ToArray();
        });

        float[] joined = [.. Enumerable.Range(0, Views)
            .SelectMany(view => halves.SelectMany(half => half.Skip(view * Batch / 2).Take(Batch / 2)))];
        Assert.That(joined, Is.EqualTo(whole));
        Assert.That(DropPath.KeepMask(device, Views * Batch, 0.5f, 7, 1, 2, 3, Batch, OneRank.Instance).ToArray(), Is.EqualTo(whole));
    }

    [Test]
    public void ExceptionOnOneRank_LetsTheOthersGo() =>
        Assert.That(() => ThreadRanks.Run(2, (ranks, _) =>
        {
            if (ranks.Rank == 1)
                throw new InvalidDataException("broken");
            ranks.Barrier();
            return 0;
        }), Throws.TypeOf<AggregateException>().With.InnerException.TypeOf<InvalidDataException>());

    private static float[] Half(float[] all, int half) => all[(half * all.Length / 2)..((half + 1) * all.Length / 2)];

    private static (float[] Y, float[] Dx, float[] DWeight, float[] DBias, float[] Running) Normalise(
        Device device, IRanks ranks, float[] x, float[] dy, bool recompute)
    {
        var norm = new BatchNorm(Width);
        using var parameters = new FlatParameters(norm, device, trainable: true);
        parameters.Initialize(1);
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var input = Tensor.From(device, x, new Shape(x.Length / Width, Width));
        input.RequiresGrad = true;
        tape.Record();
        var y = recompute
            ? input.Recompute((norm, ranks), static (t, part) => part.norm.Forward(t, training: true, part.ranks))
            : norm.Forward(input, training: true, ranks);
        tape.Backward(y, Tensor.From(device, dy, y.Shape));
        var saved = parameters.Save();
        return (y.ToArray(), input.Grad!.ToArray(), norm.Parameters.First().Value.Grad!.ToArray(),
            norm.Parameters.Last().Value.Grad!.ToArray(),
            [.. saved[2].Values, .. saved[3].Values]);
    }
}
