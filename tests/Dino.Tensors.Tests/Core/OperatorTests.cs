using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>Formulas in C#: operators between tensors, and with whole numbers, floats and doubles on either side.</summary>
public class OperatorTests
{
    private static Device Device => Devices.Open("cpu");

    [Test]
    public void Operators_AreTheOpsOfTheirNames()
    {
        using var arena = Device.BeginArena();
        Tensor x = Tensor.From(Device, [6, -2]), y = Tensor.From(Device, [3, 4]);
        Is(x + y, 9, 2);
        Is(x - y, 3, -6);
        Is(x * y, 18, -8);
        Is(x / y, 2, -0.5f);
        Is(-x, -6, 2);
        Is(x + 1, 7, -1);
        Is(1 + x, 7, -1);
        Is(x - 0.5, 5.5f, -2.5f);
        Is(0.5 - x, -5.5f, 2.5f);
        Is(x * 2f, 12, -4);
        Is(2f * x, 12, -4);
        Is(x / 4, 1.5f, -0.5f);
        Is(12 / x, 2, -6);
        Is(x < y, 0, 1);
        Is(x > y, 1, 0);
        Is(x <= 6, 1, 1);
        Is(x >= 6, 1, 0);
        Is(6 <= x, 1, 0);
        Is(6 >= x, 1, 1);
        Is(0 < x, 1, 0);
        Is(0 > x, 0, 1);
        Is(x < 0, 0, 1);
        Is(x > 0, 1, 0);
        Is(x <= y, 0, 1);
        Is(x >= y, 1, 0);

        static void Is(Tensor actual, params float[] expected) => Assert.That(actual.ToArray(), NUnit.Framework.Is.EqualTo(expected));
    }

    /// <summary>f(x) = (2x − 1)² / x + 3 / (x − 5) − x, whose derivative is 4 − 1/x² − 3/(x − 5)² − 1.</summary>
    [Test]
    public void AFormula_HasItsDerivative()
    {
        using var arena = Device.BeginArena();
        using var tape = new Tape(Device);
        float[] points = [0.5f, 1, -2, 8];
        var x = Tensor.From(Device, points);
        x.RequiresGrad = true;
        tape.Record();
        var t = 2 * x - 1;
        var f = t * t / x + 3 / (x - 5) - x;
        tape.Backward(f, Tensor.Ones(Device, f.Shape));
        Tolerance.Balanced.Check<double>(
            Array.ConvertAll(f.ToArray(), v => (double)v),
            Array.ConvertAll(points, v => (2.0 * v - 1) * (2.0 * v - 1) / v + 3 / (v - 5.0) - v), "f");
        Tolerance.Balanced.Check<double>(
            Array.ConvertAll(x.Grad!.ToArray(), v => (double)v),
            Array.ConvertAll(points, v => 3 - 1.0 / v / v - 3 / (v - 5.0) / (v - 5.0)), "f'");
    }

    [Test]
    public void Null_IsNamed()
    {
        using var arena = Device.BeginArena();
        Tensor x = Tensor.From(Device, [1]), none = null!;
        Assert.That(() => x + none, Throws.ArgumentNullException.With.Property("ParamName").EqualTo("y"));
        Assert.That(() => none * x, Throws.ArgumentNullException.With.Property("ParamName").EqualTo("x"));
        Assert.That(() => x / none, Throws.ArgumentNullException.With.Property("ParamName").EqualTo("y"));
        Assert.That(() => 1 - none, Throws.ArgumentNullException.With.Property("ParamName").EqualTo("x"));
        Assert.That(() => -none, Throws.ArgumentNullException.With.Property("ParamName").EqualTo("x"));
    }
}
