using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class CrossEntropyTests : OpTests<CrossEntropyTests>, IOpCases
{
    private const float Temperature = 0.5f;

    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Views(crops: 4, views: 2, batch: 3, n)),
        Views(crops: 2, views: 2, batch: 1, 9),
        Views(crops: 1, views: 2, batch: 2, 9), // more target views than crops
        Views(crops: 3, views: 1, batch: 2, 9),
        Views(crops: 5, views: 3, batch: 2, 700), // several blocks of the running sum
    ];

    [Test]
    public void UniformStudent_IsLnK()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        const int K = 65536;
        float[] q = new float[2 * K];
        q[5] = q[K + 12345] = 1;
        float loss = Tensor.Zeros(device, new Shape(3, K)).MultiViewCrossEntropy(Tensor.From(device, q, new Shape(2, K)), 1, 0.1f).Item();
        Assert.That(loss, Is.EqualTo(11.090355f).Within(2e-5f)); // ln 65,536: what a collapsed run shows
    }

    [Test]
    public void Loss_DoesNotDependOnTheThreads()
    {
        var random = new System.Random(1);
        float[] s = [.. Enumerable.Range(0, 20 * 333).Select(_ => random.NextSingle())];
        float[] q = [.. Enumerable.Range(0, 10 * 333).Select(_ => random.NextSingle() / 333)];
        float[] Run(int threads)
        {
            using var device = Device.Open("cpu", new DeviceOptions { Threads = threads, Strict = true });
            using var tape = new Tape(device);
            using var arena = device.BeginArena();
            var logits = Tensor.From(device, s, new Shape(20, 333));
            logits.RequiresGrad = true;
            tape.Record();
            var loss = logits.MultiViewCrossEntropy(Tensor.From(device, q, new Shape(10, 333)), 5, 0.1f);
            tape.Backward(loss);
            return [loss.Item(), .. logits.Grad!.ToArray()];
        }
        Assert.That(Run(3), Is.EqualTo(Run(1)));
    }

    [TestCase(7, 4, 2, 4, "whole number of crops")]
    [TestCase(6, 4, 2, 5, "prototypes")]
    [TestCase(2, 2, 2, 4, "no pair")]
    public void WrongShapes_AreNamed(int rows, int targetRows, int batch, int targetWidth, string message)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor logits = Tensor.Zeros(device, new Shape(rows, 4)), targets = Tensor.Zeros(device, new Shape(targetRows, targetWidth));
        Assert.That(() => logits.MultiViewCrossEntropy(targets, batch, 0.1f), Throws.ArgumentException.With.Message.Contains(message));
    }

    private static OpCase Views(int crops, int views, int batch, int k) =>
        // The gradient's formula supposes rows of probabilities that sum to 1.
        new("MultiViewCrossEntropy", x => x[0].MultiViewCrossEntropy(x[1].Softmax(), batch, Temperature),
            new Shape(crops * batch, k), new Shape(views * batch, k))
        {
            Constant = [1],
            Truth = x => [Loss(x[0], [.. x[1].Chunk(k).SelectMany(row => row.Select(v => Math.Exp(v) / row.Sum(Math.Exp)))], crops, views,
                batch, k)],
            GradientTolerance = new Tolerance(2e-5, 2e-3),
        };

    /// <summary>Section 3.1 of the paper, term by term.</summary>
    private static double Loss(double[] s, double[] q, int crops, int views, int batch, int k)
    {
        double sum = 0;
        int terms = 0;
        for (int i = 0; i < views; i++)
        {
            for (int j = 0; j < crops; j++)
            {
                if (i == j)
                    continue;
                terms++;
                for (int b = 0; b < batch; b++)
                {
                    double[] row = [.. s.AsSpan((j * batch + b) * k, k).ToArray().Select(v => v / Temperature)];
                    double logSum = Math.Log(row.Sum(Math.Exp));
                    for (int p = 0; p < k; p++)
                        sum -= q[(i * batch + b) * k + p] * (row[p] - logSum) / batch;
                }
            }
        }
        return sum / terms;
    }
}
