using Dino.Tensors;
using Dino.Tensors.Ops;
using Dino.Train.Evaluation.Features;

namespace Dino.Train.Evaluation.Retrieval;

/// <summary>
/// PCA whitening as the reference's copy detection does it: rows less their mean, turned to the principal directions of the second moments
/// about
/// 0, each divided by the root of its moment; moments below 10⁻⁵ of the largest are raised to that.
/// </summary>
public sealed class Whitening : IDisposable
{
    private const double Floor = 1e-5;
    private readonly Tensor weight, bias;

    /// <summary>Prepares the map.</summary>
    /// <param name="device">Where it is to be applied.</param>
    /// <param name="components">The rows to learn from.</param>
    /// <exception cref="ArgumentException">There are none, or they are all 0.</exception>
    public Whitening(Device device, PrincipalComponents components)
    {
        double[] mean = components.Mean;
        var (directions, moments) = components.Count > 0 ? components.Find(mean.Length, centred: false) : ([], [0]);
        if (!(moments[0] > 0))
            throw new ArgumentException("Whitening needs features that are not all 0.", nameof(components));
        float[] rows = new float[mean.Length * mean.Length], shifts = new float[mean.Length];
        for (int i = 0; i < mean.Length; i++)
        {
            double scale = 1 / Math.Sqrt(Math.Max(moments[i], Floor * moments[0])), shift = 0;
            for (int j = 0; j < mean.Length; j++)
            {
                rows[i * mean.Length + j] = (float)(scale * directions[i][j]);
                shift -= scale * directions[i][j] * mean[j];
            }
            shifts[i] = (float)shift;
        }
        weight = Tensor.From(device, rows, new Shape(mean.Length, mean.Length));
        bias = Tensor.From(device, shifts, new Shape(mean.Length));
    }

    /// <summary>Rows (n, D) → (n, D).</summary>
    public Tensor Apply(Tensor rows) => rows.Linear(weight, bias);

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        weight.Dispose();
        bias.Dispose();
    }
}
