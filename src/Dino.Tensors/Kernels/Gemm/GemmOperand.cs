using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// How an operand of a product lies in memory, seen as rows (of A, or columns of B) and steps of k. A struct parameter of the kernels,
/// hence a
/// constant in their code.
/// </summary>
internal interface IOperandLayout
{
    /// <summary>Whether neighbouring steps of k are neighbours in memory; otherwise neighbouring rows are.</summary>
    static abstract bool AlongSteps { get; }
}

/// <summary>A as it is, B transposed.</summary>
internal readonly struct AlongSteps : IOperandLayout
{
    static bool IOperandLayout.AlongSteps => true;
}

/// <summary>A transposed, B as it is.</summary>
internal readonly struct AlongRows : IOperandLayout
{
    static bool IOperandLayout.AlongSteps => false;
}

/// <summary>Where an operand's numbers are: (row, step) at start + row · ld + step, or start + step · ld + row.</summary>
internal readonly struct OperandPlace(int start, int ld, int rows, int steps)
{
    /// <summary>The first number's index.</summary>
    public readonly int Start = start;

    /// <summary>The distance of stored rows; a multiple of 4, as <see cref="Start"/> is.</summary>
    public readonly int Ld = ld;

    /// <summary>How many rows and steps there are; that along which the memory runs is a multiple of 4.</summary>
    public readonly int Rows = rows, Steps = steps;

    /// <summary>The number at (row, step) of an operand that lies along steps; 0 beyond the edges.</summary>
    public float ReadOne(ArrayView<float> source, int row, int step) =>
        row < Rows && step < Steps ? source.Read(Start + row * Ld + step) : 0;

    /// <summary>Four neighbours in memory, from (row, step); 0 beyond the edges.</summary>
    public static Float4 Read<TLayout>(ArrayView<float> source, OperandPlace place, int row, int step)
        where TLayout : struct, IOperandLayout
    {
        if (row >= place.Rows || step >= place.Steps)
            return default;
        return source.ReadFour(place.Start + (TLayout.AlongSteps ? row * place.Ld + step : step * place.Ld + row));
    }
}
