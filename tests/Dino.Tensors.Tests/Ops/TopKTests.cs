using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class TopKTests : OpTests<TopKTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        Largest(new Shape(3, 1), 1),
        Largest(new Shape(3, 37), 1),
        Largest(new Shape(2, 2, 197), 20),
        Largest(new Shape(5), 5),
    ];

    /// <summary>Row length, rows, k, and how many different numbers there are.</summary>
    private static IEnumerable<TestCaseData> Sizes =>
        from device in Devices.Names
        from size in ((int, int, int, int)[])
        [
            (1, 5, 1, 100), (2, 3, 1, 1), (9, 4, 9, 3), (37, 6, 10, 1000), (64, 7, 64, 1), (197, 4, 20, 5), (1030, 3, 1, 100000),
            (1030, 3, 200, 4), (1030, 2, 1030, 300), (3000, 2, 1000, 100000),
        ]
        select Devices.Case(device, size.Item1, size.Item2, size.Item3, size.Item4);

    [TestCaseSource(nameof(Sizes))]
    public void Rows_AreThoseOfASort(int n, int rows, int k, int different, string name)
    {
        var random = new System.Random(n + k);
        float[] x = [.. Enumerable.Range(0, rows * n).Select(_ => (random.Next(different) - different / 2) / 64f)];
        Check(name, x, n, k);
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void SpecialValues_AreOrdered(string name)
    {
        float[] special =
        [
            float.NaN, -0f, 0f, float.NegativeInfinity, 1e-45f, -1e-45f, float.PositiveInfinity, BitConverter.Int32BitsToSingle(-1),
            float.MaxValue, float.MinValue, BitConverter.Int32BitsToSingle(0x7f800001), 1, -1, 0f, -0f, float.PositiveInfinity,
            float.NegativeInfinity, 1.17549435e-38f, -1.17549435e-38f,
        ];
        float[] padded = [.. special, .. Enumerable.Repeat(float.NaN, 21), .. special];
        for (int k = 1; k <= special.Length; k++)
            Check(name, special, special.Length, k);
        foreach (int k in (int[])[1, 16, 32, 33, 59])
            Check(name, padded, padded.Length, k);
    }

    [Test]
    public void MoreThanARowHas_IsRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 3));
        Assert.That(() => x.TopK(4), Throws.ArgumentException.With.Message.Contains("4").And.Message.Contains("(2, 3)"));
        Assert.That(() => x.TopK(0), Throws.ArgumentException);
        Assert.That(() => Tensor.Zeros(device, new Shape()).TopK(1), Throws.ArgumentException);
    }

    private static void Check(string name, float[] x, int n, int k)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var (values, indices) = Tensor.From(device, x, new Shape(x.Length / n, n)).TopK(k);
        int[] expected = [.. x.Chunk(n).SelectMany(row => Sorted(row).Take(k))];
        Assert.That(indices.ToIntArray(), Is.EqualTo(expected), $"the {k} largest of {n}");
        int[] bits = Array.ConvertAll(values.ToArray(), BitConverter.SingleToInt32Bits);
        Assert.That(bits, Is.EqualTo(expected.Select((place, i) => BitConverter.SingleToInt32Bits(x[i / k * n + place]))));
    }

    /// <summary>Places from the largest to the smallest: a stable sort by comparisons that count −0 and 0 as equal, NaN last.</summary>
    private static IEnumerable<int> Sorted(float[] row) => Enumerable.Range(0, row.Length)
        .OrderBy(i => float.IsNaN(row[i]) ? 1 : 0)
        .ThenByDescending(i => float.IsNaN(row[i]) ? 0 : row[i], Comparer<float>.Create((a, b) => a < b ? -1 : a > b ? 1 : 0));

    private static OpCase Largest(Shape shape, int k) => new($"TopK {k}", x => x[0].TopK(k).Values, shape)
    {
        Constant = [0],
        Truth = x => [.. x[0].Chunk(shape.RowLength).SelectMany(row => row.OrderDescending().Take(k))],
    };
}
