using Dino.Tensors;
using Dino.Tensors.Ops;
using MathNet.Numerics.LinearAlgebra;

namespace Dino.Train.Evaluation.Features;

/// <summary>
/// The second moments of rows given piece by piece, and the directions in which they vary most. Memory: D² numbers, however many rows.
/// </summary>
public sealed class PrincipalComponents(int dim)
{
    private readonly double[] sums = new double[dim], products = new double[dim * dim];

    /// <summary>Rows so far.</summary>
    public long Count { get; private set; }

    /// <summary>The mean row.</summary>
    public double[] Mean => Array.ConvertAll(sums, sum => sum / Count);

    /// <summary>Takes in rows (n, D) that lie on a device.</summary>
    public void Add(Tensor rows)
    {
        using var scope = rows.Device.BeginArena();
        float[] moments = rows.MatMul(rows, transposeA: true).ToArray(), total = rows.Sum(0).ToArray();
        for (int i = 0; i < products.Length; i++)
            products[i] += moments[i];
        for (int i = 0; i < sums.Length; i++)
            sums[i] += total[i];
        Count += rows.Shape[0];
    }

    /// <summary>
    /// The first directions, row by row (count, D), and the variance along each, descending. The largest entry of each is positive.
    /// </summary>
    /// <param name="count">How many.</param>
    /// <param name="centred">Whether the moments are taken about the mean or, as the reference's whitening does, about 0.</param>
    public (double[][] Directions, double[] Variances) Find(int count, bool centred)
    {
        double[] mean = Mean;
        var moments = Matrix<double>.Build.Dense(dim, dim, (i, j) =>
            0.5 * (products[i * dim + j] + products[j * dim + i]) / Count - (centred ? mean[i] * mean[j] : 0));
        var svd = moments.Svd(); // of a symmetric positive matrix: its eigenvectors and eigenvalues
        double[][] directions = new double[count][];
        for (int i = 0; i < count; i++)
        {
            double[] direction = svd.U.Column(i).ToArray();
            double largest = direction.MaxBy(Math.Abs);
            directions[i] = largest < 0 ? Array.ConvertAll(direction, x => -x) : direction;
        }
        return (directions, svd.S.Take(count).ToArray());
    }
}
