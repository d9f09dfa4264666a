using Dino.Tensors.Kernels.Sums;
using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class ColumnSumTests
{
    public static IEnumerable<object[]> Sizes =>
        from device in Devices.Names
        from size in (int[][])[.. OpCase.RowLengths.Select(n => new[] { 67, n }),
            [1, 5], [0, 5], [5, 0], [3, 1], [32, 40], [33, 40], [1000, 3], [5000, 1], [129, 1024], [70, 1025], [130, 2050]]
        select new object[] { device, size[0], size[1] };

    [TestCaseSource(nameof(Sizes))]
    public void Run_SumsTheRows(string name, int rows, int n)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var random = new System.Random(rows + n);
        // Whole numbers: float32 sums of them are exact in any order.
        float[] x = [.. Enumerable.Range(0, rows * n).Select(_ => (float)random.Next(-100, 100))];
        float[] sum = [.. Enumerable.Range(0, n).Select(j => Enumerable.Range(0, rows).Sum(i => x[i * n + j]))];
        var target = Tensor.From(device, new float[n], new Shape(n));
        target.Fill(float.NaN);
        ColumnSum.Run(Tensor.From(device, x, new Shape(rows, n)), target, accumulate: 0);
        Assert.That(target.ToArray(), Is.EqualTo(sum));
        ColumnSum.Run(Tensor.From(device, x, new Shape(rows, n)), target, accumulate: 1);
        Assert.That(target.ToArray(), Is.EqualTo(sum.Select(s => 2 * s)));
    }

    [Test]
    public void Run_DoesNotDependOnTheThreads()
    {
        var random = new System.Random(1);
        float[] x = [.. Enumerable.Range(0, 777 * 130).Select(_ => random.NextSingle() - 0.5f)];
        float[] Sum(int threads)
        {
            using var device = Device.Open("cpu", new DeviceOptions { Threads = threads, Strict = true });
            using var arena = device.BeginArena();
            var target = Tensor.Zeros(device, new Shape(130));
            ColumnSum.Run(Tensor.From(device, x, new Shape(777, 130)), target, accumulate: 0);
            return target.ToArray();
        }
        Assert.That(Sum(3), Is.EqualTo(Sum(1)));
    }
}
