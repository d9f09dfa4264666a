using Dino.Tensors;
using Dino.Tensors.Ops;

namespace Dino.Train.Log;

/// <summary>
/// What the last steps measured, kept on the device and read once a window, so that no step waits for the host: loss, teacher entropy,
/// centre norm and the gradient norm of every parameter before clipping.
/// </summary>
public sealed class StepMonitor : IDisposable
{
    private const int LossAt = 0, EntropyAt = 1, CentreAt = 2, NormsAt = 3;

    private readonly Tensor rows; // (window, 3 + parameters)
    private readonly float[] values;
    private readonly int rowLength;
    private readonly int[] batches;

    /// <summary>A monitor for so many parameters. On the host a window is one step, as nothing has to be waited for.</summary>
    public StepMonitor(Device device, int parameters)
    {
        rowLength = NormsAt + parameters;
        Window = device.Name == "cpu" ? 1 : 16;
        rows = Tensor.Zeros(device, new Shape(Window, rowLength));
        values = new float[Window * rowLength];
        batches = new int[Window];
    }

    /// <summary>Steps that are kept before they have to be read.</summary>
    public int Window { get; }

    /// <summary>Steps kept and not read yet.</summary>
    public int Pending { get; private set; }

    /// <summary>Takes in a batch of the present step.</summary>
    public void Count(Tensor loss, Tensor entropy)
    {
        var (lossSum, entropySum) = (Place(LossAt, default), Place(EntropyAt, default));
        if (batches[Pending]++ == 0)
        {
            lossSum.CopyFrom(loss);
            entropySum.CopyFrom(entropy);
        }
        else
        {
            lossSum.Accumulate(loss);
            entropySum.Accumulate(entropy);
        }
    }

    /// <summary>The mean loss of the batches that the present step has taken in; waits for the device.</summary>
    public float PresentLoss()
    {
        using var sum = Place(LossAt, default);
        return sum.Item() / batches[Pending];
    }

    /// <summary>Takes in the rest of the present step and ends it.</summary>
    public void EndStep(Tensor centre, Tensor gradientNorms)
    {
        Place(CentreAt, default).CopyFrom(CentreUpdate.Norm(centre));
        Place(NormsAt, gradientNorms.Shape).CopyFrom(gradientNorms);
        Pending++;
    }

    /// <summary>Waits for the device and hands out the pending steps, oldest first.</summary>
    public void Read(StepReader reader)
    {
        rows.CopyTo(values);
        for (int i = 0; i < Pending; i++)
        {
            var row = values.AsSpan(i * rowLength, rowLength);
            reader(row[LossAt] / batches[i], row[EntropyAt] / batches[i], row[CentreAt], row[NormsAt..]);
        }
        Array.Clear(batches);
        Pending = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => rows.Dispose();

    private Tensor Place(int column, Shape shape) => rows.Alias(shape, Pending * rowLength + column);
}

/// <summary>Receives one step's loss and teacher entropy (nats), the centre's L2 norm, and every parameter's gradient norm.</summary>
public delegate void StepReader(float loss, float teacherEntropy, float centreNorm, ReadOnlySpan<float> gradientNorms);
