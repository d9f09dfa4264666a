using System.Numerics;
using System.Reflection;
using Dino.Tensors.Kernels;
using Dino.Tensors.Ops;
using Dino.Tensors.Tests.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// Every <see cref="IUnary"/> functor of the library, found by reflection: a new one is held to this without a line of code.
/// </summary>
public class UnaryTests
{
    private static readonly float[] Special =
    [
        float.NaN, 0f, -0f, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -float.Epsilon, 1e-40f, -1e-40f, 1.17549435e-38f,
        1e-20f, -1e-20f, 1e4f, -1e4f, 1e20f, -1e20f, float.MaxValue, float.MinValue, 87f, -87f, 88.8f, -88.8f, 104f, -104f,
    ];

    public static IEnumerable<Type> Functors => typeof(IUnary).Assembly.GetTypes()
        .Where(t => t is { IsValueType: true, ContainsGenericParameters: false } && t.IsAssignableTo(typeof(IUnary)));

    public static IEnumerable<object[]> FunctorsOnDevices =>
        from functor in Functors from device in Devices.Names where device != "cpu" select new object[] { functor, device };

    [Test]
    public void Functors_AreFound() => Assert.That(Functors, Is.Not.Empty);

    [TestCaseSource(nameof(Functors))]
    public void Gradient_AgreesWithFiniteDifferences(Type functor)
    {
        foreach (int n in OpCase.RowLengths)
            OpCheck.Gradient(Devices.Open("cpu"), Case(functor, n));
    }

    [TestCaseSource(nameof(Functors))]
    public void Gradients_AddUp(Type functor)
    {
        for (int n = 1; n <= 2 * Vector<float>.Count + 1; n++)
            OpCheck.Accumulation(Devices.Open("cpu"), Case(functor, n));
    }

    /// <summary>A vector's tail must give what the same numbers give in the middle of a long tensor.</summary>
    [TestCaseSource(nameof(Functors))]
    public void Tail_EqualsTheMiddle(Type functor)
    {
        var device = Devices.Open("cpu");
        float[] x = Case(functor, 197).Values()[0];
        float[] whole = OpCheck.Output(device, Case(functor, 197), [x]);
        for (int n = 1; n <= 2 * Vector<float>.Count + 1; n++)
            Assert.That(OpCheck.Output(device, Case(functor, n), [x[..n]]), Is.EqualTo(whole[..n]), $"{n} elements");
    }

    [TestCaseSource(nameof(FunctorsOnDevices))]
    public void Device_AgreesWithHost(Type functor, string device)
    {
        foreach (int n in OpCase.RowLengths)
            OpCheck.Parity(Devices.Open("cpu"), Devices.Open(device), Case(functor, n));
    }

    [TestCaseSource(nameof(FunctorsOnDevices))]
    public void SpecialValues_AgreeWithHost(Type functor, string device)
    {
        var c = Case(functor, Special.Length);
        float[] expected = OpCheck.Output(Devices.Open("cpu"), c, [Special]), actual = OpCheck.Output(Devices.Open(device), c, [Special]);
        for (int i = 0; i < Special.Length; i++)
            Tolerance.Balanced.Check<float>([actual[i]], [expected[i]], $"{c.Name}({Special[i]}) on {device}");
    }

    [TestCaseSource(nameof(Functors))]
    public void NaN_StaysNaN(Type functor) =>
        Assert.That(OpCheck.Output(Devices.Open("cpu"), Case(functor, 1), [[float.NaN]])[0], Is.NaN);

    /// <summary>Functors of positive numbers alone.</summary>
    private static readonly HashSet<Type> ofPositive = [typeof(LogOp), typeof(SqrtOp)];

    private static OpCase Case(Type functor, int n)
    {
        var apply = typeof(Unary<>).MakeGenericType(functor).GetMethod("Apply", BindingFlags.Public | BindingFlags.Static)!
            .CreateDelegate<Func<Tensor, Tensor>>();
        return new OpCase(functor.DeclaringType!.Name, x => apply(x[0]), new Shape(n))
        {
            // Away from 0, where functors may have a kink.
            Input = ofPositive.Contains(functor.DeclaringType!) ? (_, v) => MathF.Abs(v) + 0.5f : (_, v) => v < 0 ? v - 0.125f : v + 0.125f,
        };
    }
}
