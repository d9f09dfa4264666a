using ILGPU;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>What becomes of an element of C once its sum is complete.</summary>
internal enum EpilogueKind
{
    /// <summary>It stays.</summary>
    None,

    /// <summary>other + factor of the sample · C.</summary>
    Branch,

    /// <summary>factor of the column · C.</summary>
    ColumnScale,

    /// <summary>f(C); C itself is kept.</summary>
    Activation,

    /// <summary>C · f′(other); f(other) is kept.</summary>
    ActivationBackward,
}

/// <summary>
/// The last step of a product, done while the sums are in registers or near caches. Its tensors have C's shape or as said.
/// </summary>
internal readonly record struct Epilogue
{
    public EpilogueKind Kind { get; private init; }

    /// <summary>Added to every row before anything else: (N).</summary>
    public Tensor? Bias { get; init; }

    /// <summary>What is read beside C.</summary>
    public Tensor? Other { get; private init; }

    /// <summary>One for each sample, or for each column.</summary>
    public Tensor? Factors { get; private init; }

    /// <summary>What is written beside C.</summary>
    public Tensor? Kept { get; private init; }

    /// <summary>Rows that share a factor; 0 without.</summary>
    public int RowsPerSample { get; private init; }

    public EpilogueViews Views => new(View(Bias), View(Other), View(Factors), View(Kept));

    /// <summary>
    /// residual + keep[row / rowsPerSample] · (C + bias), a branch of a residual connection; keep may be null and then is 1.
    /// </summary>
    public static Epilogue Branch(Tensor? bias, Tensor residual, Tensor? keep, int rowsPerSample) => new()
    {
        Kind = EpilogueKind.Branch,
        Bias = bias,
        Other = residual,
        Factors = keep,
        RowsPerSample = keep is null ? 0 : rowsPerSample,
    };

    /// <summary>C · factors[column].</summary>
    public static Epilogue ColumnScale(Tensor factors) => new() { Kind = EpilogueKind.ColumnScale, Factors = factors };

    /// <summary>f(C + bias) with the activation of the product; C + bias goes to <paramref name="before"/> unless that is null.</summary>
    public static Epilogue Activation(Tensor? bias, Tensor? before) => new() { Kind = EpilogueKind.Activation, Bias = bias, Kept = before };

    /// <summary>C · f′(before), a gradient through the activation; f(before) goes to <paramref name="output"/>.</summary>
    public static Epilogue ActivationBackward(Tensor before, Tensor output) =>
        new() { Kind = EpilogueKind.ActivationBackward, Other = before, Kept = output };

    private static ArrayView<float> View(Tensor? tensor) => tensor is null ? default : tensor.View;
}

/// <summary>An <see cref="Epilogue"/>'s tensors as kernels see them; what is not there is empty.</summary>
internal readonly struct EpilogueViews(ArrayView<float> bias, ArrayView<float> other, ArrayView<float> factors, ArrayView<float> kept)
{
    public readonly ArrayView<float> Bias = bias, Other = other, Factors = factors, Kept = kept;
}
