using Dino.Tensors.Ops;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>
/// Every op with sizes of 0: each size of one of its cases is made 0 wherever it stands. Either the op refuses the shapes, or it gives what
/// its
/// formula does, and its backward pass runs and leaves gradients of the inputs' shapes, 0 where nothing came in.
/// </summary>
public class ZeroSizeTests
{
    public static IEnumerable<TestCaseData> Cases =>
        from device in (string[])["cpu", "cpu:debug"]
        from op in OpCoverageTests.CaseClasses
        let cases = ((IEnumerable<OpCase>)op.GetProperty(nameof(IOpCases.Cases))!.GetValue(null)!).ToArray()
        from c in cases.GroupBy(c => c.Name).Select(
            g => g.OrderBy(c => c.Shapes.Sum(s => s.Count)).First(c => c.Shapes.Any(s => s.Count > 1) || g.Count() == 1)).Take(4)
        from size in c.Shapes.SelectMany(s => s.ToArray()).Distinct().Order()
        select new TestCaseData(device, c, size).SetArgDisplayNames(device, $"{op.Name}: {c}", $"{size}");

    [TestCase("cpu")]
    [TestCase("cpu:debug")]
    public void ProductOverNothing_IsTheBias_AndSendsNoGradientBack(string name)
    {
        using var device = Device.Open(name, new DeviceOptions { Threads = 2, Strict = true });
        using var arena = device.BeginArena();
        var bias = Tensor.From(device, [1f, 2, 3], new Shape(3));
        var y = Tensor.Zeros(device, new Shape(2, 0)).Linear(Tensor.Zeros(device, new Shape(3, 0)), bias);
        Assert.That(y.ToArray(), Is.EqualTo(new float[] { 1, 2, 3, 1, 2, 3 }));
        Assert.That(Tensor.Zeros(device, new Shape(2, 0)).MatMul(Tensor.Zeros(device, new Shape(0, 3))).ToArray(), Is.All.Zero);

        using var tape = new Tape(device);
        var x = Tensor.Zeros(device, new Shape(2, 5));
        x.RequiresGrad = true;
        tape.Record();
        var none = x.Linear(Tensor.Zeros(device, new Shape(0, 5)), null);
        tape.Backward(none, Tensor.Zeros(device, none.Shape));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[10]));
    }

    [TestCase("cpu")]
    [TestCase("cpu:debug")]
    public void AttentionOfNoTokens_IsEmpty_AndOfNoWidthRefused(string name)
    {
        using var device = Device.Open(name, new DeviceOptions { Threads = 2, Strict = true });
        using var arena = device.BeginArena();
        Assert.That(Tensor.Zeros(device, new Shape(1, 0, 12)).Attention(2).Shape, Is.EqualTo(new Shape(1, 0, 4)));
        Assert.That(Tensor.Zeros(device, new Shape(1, 0, 12)).AttentionWeights(2).Shape, Is.EqualTo(new Shape(1, 2, 0, 0)));
        foreach (int heads in new[] { 1, 1000, 1_431_655_766, int.MaxValue })
        {
            Assert.That(() => Tensor.Zeros(device, new Shape(1, 1, 0)).Attention(heads), Throws.ArgumentException);
            Assert.That(() => Tensor.Zeros(device, new Shape(1, 1, 2)).AttentionWeights(heads), Throws.ArgumentException);
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void SizeOfZero_IsRefused_OrRight(string name, OpCase c, int size)
    {
        using var device = Device.Open(name, new DeviceOptions { Threads = 2, Strict = true });
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        Tensor[] inputs = [.. c.Shapes.Select(shape => Shape.Of([.. shape.ToArray().Select(s => s == size ? 0 : s)]))
            .Select(shape => Tensor.From(device, Enumerable.Range(1, shape.Count).Select(i => i / 8f).ToArray(), shape))];
        for (int i = 0; i < inputs.Length; i++)
            inputs[i].RequiresGrad = c.IsDifferentiable(i);
        tape.Record();
        Tensor y;
        try
        {
            y = c.Function(inputs);
        }
        catch (ArgumentException)
        {
            tape.Dispose();
            return;
        }
        bool isNaN = c.Name.StartsWith("GatherRows", StringComparison.Ordinal) && inputs[0].Count == 0; // rows that are not there
        Assert.That(isNaN || !y.ToArray().Any(float.IsNaN), $"{y} was not written");
        if (!y.RequiresGrad)
            return;
        var dy = Tensor.Zeros(device, y.Shape);
        dy.Fill(1);
        tape.Backward(y, dy);
        device.Synchronize();
        foreach (var input in inputs.Where(input => input is { RequiresGrad: true, Grad: not null }))
        {
            Assert.That(input.Grad!.Shape, Is.EqualTo(input.Shape));
            Assert.That(input.Grad.ToArray(), Has.None.NaN, "a gradient was not written");
        }
    }
}
