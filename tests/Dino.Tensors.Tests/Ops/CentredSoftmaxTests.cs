using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class CentredSoftmaxTests : OpTests<CentredSoftmaxTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Rows(new Shape(3, n), new Shape(n), 0.5f)),
        Rows(new Shape(2, 300), new Shape(1, 300), 0.07f),
    ];

    [Test]
    public void NoGradientPasses()
    {
        var device = Devices.Open("cpu");
        using var tape = new Tape(device);
        using var arena = device.BeginArena();
        Tensor t = Tensor.Zeros(device, new Shape(2, 3)), centre = Tensor.Zeros(device, new Shape(3));
        t.RequiresGrad = true;
        tape.Record();
        Assert.That(t.CentredSoftmax(centre, 0.04f).RequiresGrad, Is.False);
    }

    [Test]
    public void WrongCentreOrTemperature_IsNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor t = Tensor.Zeros(device, new Shape(2, 3)), centre = Tensor.Zeros(device, new Shape(3)),
            other = Tensor.Zeros(device, new Shape(4));
        Assert.That(() => t.CentredSoftmax(other, 0.04f),
            Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains("(4)"));
        Assert.That(() => t.CentredSoftmax(centre, 0), Throws.ArgumentException.With.Message.Contains("0"));
    }

    private static OpCase Rows(Shape shape, Shape centre, float temperature) =>
        new("CentredSoftmax", x => x[0].CentredSoftmax(x[1], temperature), shape, centre)
        {
            Constant = [0, 1],
            Truth = x => [.. x[0].Chunk(shape.RowLength).SelectMany(row =>
            {
                double[] z = [.. row.Select((v, k) => (v - x[1][k]) / temperature)];
                double max = z.Max(), sum = z.Sum(v => Math.Exp(v - max));
                return z.Select(v => Math.Exp(v - max) / sum);
            })],
        };
}
