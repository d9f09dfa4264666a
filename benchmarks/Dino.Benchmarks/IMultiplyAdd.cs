using System.Runtime.Intrinsics;

namespace Dino.Benchmarks;

/// <summary>a · b + c on vectors of one width.</summary>
internal interface IMultiplyAdd<TVector>
{
    static abstract int Width { get; }

    static abstract TVector Of(float value);

    /// <summary>One instruction where the processor has it, else two: two operations a float either way.</summary>
    static abstract TVector Compute(TVector a, TVector b, TVector c);

    static abstract float First(TVector value);
}

internal readonly struct MultiplyAdd128 : IMultiplyAdd<Vector128<float>>
{
    public static int Width => 4;

    public static Vector128<float> Of(float value) => Vector128.Create(value);

    public static Vector128<float> Compute(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.MultiplyAddEstimate(a, b, c);

    public static float First(Vector128<float> value) => value.ToScalar();
}

internal readonly struct MultiplyAdd256 : IMultiplyAdd<Vector256<float>>
{
    public static int Width => 8;

    public static Vector256<float> Of(float value) => Vector256.Create(value);

    public static Vector256<float> Compute(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Vector256.MultiplyAddEstimate(a, b, c);

    public static float First(Vector256<float> value) => value.ToScalar();
}

internal readonly struct MultiplyAdd512 : IMultiplyAdd<Vector512<float>>
{
    public static int Width => 16;

    public static Vector512<float> Of(float value) => Vector512.Create(value);

    public static Vector512<float> Compute(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.MultiplyAddEstimate(a, b, c);

    public static float First(Vector512<float> value) => value.ToScalar();
}
