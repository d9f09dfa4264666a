using System.Numerics;
using Dino.Testing;

namespace Dino.Tensors.Tests.Ops;

/// <summary>
/// One op at one set of shapes. Its class of tests lists such cases (<see cref="IOpCases"/>) and gets from <see cref="OpTests{TSelf}"/> the
/// gradient check, the parity of all devices and, with <see cref="Truth"/>, the comparison with a formula in double precision.
/// </summary>
public sealed record OpCase(string Name, Func<Tensor[], Tensor> Function, params Shape[] Shapes)
{
    /// <summary>Row lengths around whole vectors, and two that no power of two divides: patches of a crop, tokens of an image.</summary>
    public static IReadOnlyList<int> RowLengths { get; } = [.. Enumerable.Range(1, 2 * Vector<float>.Count + 1), 37, 197];

    /// <summary>The output from the inputs in double precision, row-major, from a closed formula.</summary>
    public Func<double[][], double[]>? Truth { get; init; }

    /// <summary>Maps an input's index and a uniform number in [−2, 2) to an input value, to keep away from kinks and poles.</summary>
    public Func<int, float, float>? Input { get; init; }

    /// <summary>How far devices may differ from each other, and the result from <see cref="Truth"/>.</summary>
    public Tolerance Tolerance { get; init; } = Tolerance.Balanced;

    /// <summary>How far the gradient may be from finite differences.</summary>
    public Tolerance GradientTolerance { get; init; } = Tolerance.Gradient;

    /// <summary>Inputs that the op gives no gradient to.</summary>
    public IReadOnlyList<int> Constant { get; init; } = [];

    public bool IsDifferentiable(int input) => !Constant.Contains(input);

    public override string ToString() => $"{Name} {string.Join(", ", Shapes)}";

    /// <summary>The inputs: whole multiples of 1/1024, so that the steps of finite differences are exact in float32.</summary>
    public float[][] Values()
    {
        var random = new System.Random(12345 + Shapes.Sum(s => s.Count));
        return [.. Shapes.Select((shape, input) => Enumerable.Range(0, shape.Count).Select(_ =>
        {
            float value = random.Next(-2048, 2048) / 1024f;
            return Input is null ? value : MathF.Round(Input(input, value) * 1024) / 1024;
        }).ToArray())];
    }
}

/// <summary>The cases of one op, for the tests of <see cref="OpTests{TSelf}"/> and for those that go over all ops.</summary>
public interface IOpCases
{
    static abstract IEnumerable<OpCase> Cases { get; }
}
