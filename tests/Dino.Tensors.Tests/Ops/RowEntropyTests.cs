using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class RowEntropyTests : OpTests<RowEntropyTests>, IOpCases
{
    // The formula needs no rows that sum to 1; zeros are among the inputs.
    public static IEnumerable<OpCase> Cases =>
        OpCase.RowLengths.Select(n => new OpCase("RowEntropy", x => x[0].RowEntropy(), new Shape(3, n))
        {
            Constant = [0],
            Input = (_, v) => Math.Max(v, 0) / 2,
            Truth = x => [x[0].Chunk(n).Average(row => row.Sum(q => q == 0 ? 0 : -q * Math.Log(q)))],
        });

    [TestCase("cpu")]
    [TestCase("cpu:debug")]
    public void Certain_IsZero_Uniform_IsLnK(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        float[] certain = new float[200], uniform = new float[200];
        certain[77] = 1;
        uniform.AsSpan().Fill(1f / 200);
        Assert.That(Tensor.From(device, certain, new Shape(1, 200)).RowEntropy().Item(), Is.Zero);
        Assert.That(Tensor.From(device, uniform, new Shape(1, 200)).RowEntropy().Item(), Is.EqualTo(Math.Log(200)).Within(1e-5));
    }
}
