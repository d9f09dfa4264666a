using Dino.Tensors.Kernels.Gemm;
using ILGPU;

namespace Dino.Tensors.Kernels.TensorCores;

/// <summary>What a tensor core multiplies. A struct parameter of the kernels, hence a constant in their code.</summary>
internal interface IMmaNumber
{
    /// <summary>Numbers in a word: steps of k.</summary>
    static abstract int StepsPerWord { get; }

    /// <summary>Four words of neighbouring steps, read from <paramref name="step"/> on, which is a multiple of their number.</summary>
    static abstract Word4 AlongSteps(ArrayView<float> source, OperandPlace place, int row, int step);

    /// <summary>One word of each of four neighbouring rows.</summary>
    static abstract Word4 AlongRows(ArrayView<float> source, OperandPlace place, int row, int step);

    /// <summary>One word, of neighbouring steps.</summary>
    static abstract uint Word(ArrayView<float> source, OperandPlace place, int row, int step);

    /// <summary>
    /// The sums of a product before as A's fragment, their columns the steps of k in the order 2t, 2t + 1: of one fragment in tf32, of two
    /// beside
    /// each other in bf16.
    /// </summary>
    static abstract Word4 OfSums(Float4 first, Float4 second);

    /// <summary>sum + a · b for a warp; see <see cref="TensorCore"/>.</summary>
    static abstract Float4 Multiply(Float4 sum, Word4 a, uint b0, uint b1);
}

/// <summary>A number a word.</summary>
internal readonly struct MmaTf32 : IMmaNumber
{
    public static int StepsPerWord => 1;

    public static Word4 AlongSteps(ArrayView<float> source, OperandPlace place, int row, int step) =>
        Round(OperandPlace.Read<AlongSteps>(source, place, row, step));

    public static Word4 AlongRows(ArrayView<float> source, OperandPlace place, int row, int step) =>
        Round(OperandPlace.Read<AlongRows>(source, place, row, step));

    public static uint Word(ArrayView<float> source, OperandPlace place, int row, int step) =>
        TensorCore.ToTf32(place.ReadOne(source, row, step));

    public static Word4 OfSums(Float4 first, Float4 second) => Round(new() { X = first.X, Y = first.Z, Z = first.Y, W = first.W });

    public static Float4 Multiply(Float4 sum, Word4 a, uint b0, uint b1) => TensorCore.MultiplyTf32(sum, a, b0, b1);

    private static Word4 Round(Float4 x) => new()
    {
        X = TensorCore.ToTf32(x.X),
        Y = TensorCore.ToTf32(x.Y),
        Z = TensorCore.ToTf32(x.Z),
        W = TensorCore.ToTf32(x.W),
    };
}

/// <summary>Two numbers a word.</summary>
internal readonly struct MmaBf16 : IMmaNumber
{
    public static int StepsPerWord => 2;

    public static Word4 AlongSteps(ArrayView<float> source, OperandPlace place, int row, int step)
    {
        Float4 low = OperandPlace.Read<AlongSteps>(source, place, row, step),
            high = OperandPlace.Read<AlongSteps>(source, place, row, step + 4);
        return new()
        {
            X = TensorCore.ToBf16(low.X, low.Y),
            Y = TensorCore.ToBf16(low.Z, low.W),
            Z = TensorCore.ToBf16(high.X, high.Y),
            W = TensorCore.ToBf16(high.Z, high.W),
        };
    }

    public static Word4 AlongRows(ArrayView<float> source, OperandPlace place, int row, int step)
    {
        Float4 even = OperandPlace.Read<AlongRows>(source, place, row, step),
            odd = OperandPlace.Read<AlongRows>(source, place, row, step + 1);
        return new()
        {
            X = TensorCore.ToBf16(even.X, odd.X),
            Y = TensorCore.ToBf16(even.Y, odd.Y),
            Z = TensorCore.ToBf16(even.Z, odd.Z),
            W = TensorCore.ToBf16(even.W, odd.W),
        };
    }

    public static uint Word(ArrayView<float> source, OperandPlace place, int row, int step) =>
        TensorCore.ToBf16(place.ReadOne(source, row, step), place.ReadOne(source, row, step + 1));

    public static Word4 OfSums(Float4 first, Float4 second) => new()
    {
        X = TensorCore.ToBf16(first.X, first.Y),
        Y = TensorCore.ToBf16(first.Z, first.W),
        Z = TensorCore.ToBf16(second.X, second.Y),
        W = TensorCore.ToBf16(second.Z, second.W),
    };

    public static Float4 Multiply(Float4 sum, Word4 a, uint b0, uint b1) => TensorCore.MultiplyBf16(sum, a, b0, b1);
}
