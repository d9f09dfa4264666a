using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class MatMulTests : OpTests<MatMulTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. from transposeA in (bool[])[false, true]
           from transposeB in (bool[])[false, true]
           from sizes in ((int, int, int, int)[])[(1, 3, 5, 4), (1, 17, 9, 37), (3, 4, 2, 6)]
           select Product(sizes.Item1, sizes.Item2, sizes.Item3, sizes.Item4, transposeA, transposeB),
        Product(1, 1, 1, 1, false, false),
    ];

    [Test]
    public void WrongShapes_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor a = Tensor.Zeros(device, new Shape(2, 3)), b = Tensor.Zeros(device, new Shape(4, 5));
        Assert.That(() => a.MatMul(b), Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains("(4, 5)"));
    }

    private static OpCase Product(int batch, int m, int n, int k, bool transposeA, bool transposeB)
    {
        Shape Of(int rows, int columns, bool transposed)
        {
            (rows, columns) = transposed ? (columns, rows) : (rows, columns);
            return batch == 1 ? new Shape(rows, columns) : new Shape(batch, rows, columns);
        }

        return new($"MatMul{(transposeA ? " Aᵀ" : "")}{(transposeB ? " Bᵀ" : "")}", x => x[0].MatMul(x[1], transposeA, transposeB),
            Of(m, k, transposeA), Of(k, n, transposeB))
        {
            Truth = x => [.. from i in Enumerable.Range(0, batch)
                             from row in Enumerable.Range(0, m)
                             from column in Enumerable.Range(0, n)
                             select Enumerable.Range(0, k).Sum(step =>
                                 x[0][i * m * k + (transposeA ? step * m + row : row * k + step)]
                                 * x[1][i * k * n + (transposeB ? column * k + step : step * n + column)])],
        };
    }
}
