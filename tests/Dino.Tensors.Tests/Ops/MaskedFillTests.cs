using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class MaskedFillTests : OpTests<MaskedFillTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Of(new Shape(n), new Shape(n))),
        Of(new Shape(3, 5, 7), new Shape(7)),
        Of(new Shape(3, 5, 7), new Shape(3, 1, 1)),
    ];

    /// <summary>How scores are kept from a softmax.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void MaskedScores_HaveNoShare(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var shares = Tensor.Zeros(device, new Shape(2, 4)).MaskedFill(Tensor.FromInts(device, [0, 0, 1, 1]), float.NegativeInfinity)
            .Softmax();
        Assert.That(shares.ToArray(), Is.EqualTo(new[] { 0.5f, 0.5f, 0, 0, 0.5f, 0.5f, 0, 0 }));
    }

    [Test]
    public void MaskThatIsLarger_IsRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(
            () => Tensor.Zeros(device, new Shape(3)).MaskedFill(Tensor.Zeros(device, new Shape(2, 3)), 0),
            Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains("(3)"));
    }

    private static OpCase Of(Shape x, Shape mask) => new("MaskedFill", v => v[0].MaskedFill(v[1], -3.5f), x, mask)
    {
        Truth = v => [.. v[0].Select((a, i) => v[1][BroadcastCases.At(mask, x.ToArray(), i)] != 0 ? -3.5 : a)],
        Input = (input, v) => input == 1 ? MathF.Truncate(v) : v,
        Constant = [1],
        Tolerance = Tolerance.Exact,
    };
}
