using Dino.Tensors;
using Dino.Tensors.Random;

namespace Dino.Benchmarks;

/// <summary>Pictures for measurements that the data pipeline is no part of.</summary>
internal static class Noise
{
    /// <summary>Normally distributed values, the same for the same stream.</summary>
    public static Tensor Tensor(Device device, Shape shape, uint stream)
    {
        float[] values = new float[shape.Count];
        var random = new PhiloxStream(0, stream);
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)random.Normal();
        return Tensors.Tensor.From(device, values, shape);
    }
}
