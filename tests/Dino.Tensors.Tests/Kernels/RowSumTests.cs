using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Simt;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// Sums of ten million equal numbers on an accelerator's lane, without the accelerator: added up one by one they are off by a percent.
/// </summary>
public class RowSumTests
{
    private const int Count = 10_000_000;

    [Test]
    public void Row_IsExact() => Check(RowSum.Of<Lane, OneLane, Equal>(default, default, 0, Count));

    [Test]
    public void RowOfWork_IsExact() => Check(RowSum.OfWork<Lane, OneLane, Equal>(default, default, 0, Count));

    [Test]
    public void TwoSums_AreExact()
    {
        RowSum.OfTwo<Lane, OneLane, Equal>(default, default, 0, Count, out float first, out float second);
        Check(first);
        Check(second / 2);
    }

    [Test]
    public void Column_IsExact() => Check(RowSum.OfColumn<Lane, Equal>(default, 0, Count).Value);

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(63)]
    [TestCase(64)]
    [TestCase(255)]
    [TestCase(256)]
    [TestCase(257)]
    [TestCase(4096)]
    [TestCase(70_001)]
    public void EveryTerm_CountsOnce(int count)
    {
        Assert.That(RowSum.Of<Lane, OneLane, Ones>(default, default, 5, 5 + count), Is.EqualTo(count));
        Assert.That(RowSum.OfWork<Lane, OneLane, Ones>(default, default, 5, 5 + count), Is.EqualTo(count));
        Assert.That(RowSum.OfColumn<Lane, Ones>(default, 5, 5 + count).Value, Is.EqualTo(count));
        RowSum.OfTwo<Lane, OneLane, Ones>(default, default, 5, 5 + count, out float first, out float second);
        Assert.That((first, second), Is.EqualTo(((float)count, (float)count)));
    }

    private static void Check(float sum) => Assert.That(sum / (0.1f * (double)Count) - 1, Is.EqualTo(0).Within(3e-6));

    private readonly struct Equal : IRowTerm<Lane>, IRowTerms<Lane>, IColumnTerm<Lane>
    {
        public Lane AddTo(Lane sum, int i, int end) => sum + new Lane(0.1f);

        public Lane AddTo(Lane sum, int row) => sum + new Lane(0.1f);

        public void AddTo(ref Lane first, ref Lane second, int i, int end) =>
            (first, second) = (first + new Lane(0.1f), second + new Lane(0.2f));
    }

    private readonly struct Ones : IRowTerm<Lane>, IRowTerms<Lane>, IColumnTerm<Lane>
    {
        public Lane AddTo(Lane sum, int i, int end) => sum + new Lane(1);

        public Lane AddTo(Lane sum, int row) => sum + new Lane(1);

        public void AddTo(ref Lane first, ref Lane second, int i, int end) => (first, second) = (first + new Lane(1), second + new Lane(1));
    }
}
