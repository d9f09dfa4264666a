using Dino.Tensors.Kernels.TensorCores;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>Matrix products by cuBLAS, where it is asked for (<see cref="Blas.Vendor"/>): the yardstick of our own.</summary>
internal sealed class VendorProduct : IDisposable
{
    private const CuBlasMathMode Tf32 = (CuBlasMathMode)3; // CUBLAS_TF32_TENSOR_OP_MATH, which ILGPU does not name

    private readonly CuBlas blas;

    /// <summary>Opens the library on a device.</summary>
    /// <exception cref="DeviceNotFoundException">
    /// The device is no NVIDIA GPU, computes in bf16, or the library is not installed.
    /// </exception>
    public VendorProduct(Device device)
    {
        if (device.Accelerator is not CudaAccelerator accelerator)
            throw new DeviceNotFoundException($"{device} has no vendor's matrix product: that is NVIDIA's cuBLAS, on cuda:N.");
        if (device.Precision == Precision.Bf16)
            throw new DeviceNotFoundException(
                "cuBLAS is called for fp32 and tf32 alone: tensors here are float, and its bf16 products take bf16.");
        try
        {
            blas = new CuBlas(accelerator)
            {
                Stream = (CudaStream)device.Stream,
                MathMode = device.Precision == Precision.Tf32 ? Tf32 : CuBlasMathMode.DefaultMath,
            };
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or NotSupportedException)
        {
            throw new DeviceNotFoundException("cuBLAS was not found: it comes with CUDA 10, 11 or 12 (libcublas.so, cublas64.dll).", e);
        }
    }

    /// <summary>C = Alpha · op(A) · op(B) + Beta · C, finished by the epilogue.</summary>
    public void Run<TFinish>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
        where TFinish : struct, IFinish
    {
        if (epilogue is { Kind: EpilogueKind.None, Bias: null })
        {
            Multiply(shape, a.View, b.View, c.View);
            return;
        }
        using var arena = device.BeginScope();
        var sums = device.Rent(new Shape(shape.Batch, shape.M, shape.N));
        var product = shape with { Alpha = 1, Beta = 0, LdC = shape.N, StrideC = (long)shape.M * shape.N };
        Multiply(product, a.View, b.View, sums.View);
        SumOfParts<TFinish>.Finish(device, shape, sums, 1, c, epilogue);
    }

    /// <inheritdoc/>
    public void Dispose() => blas.Dispose();

    // cuBLAS stores by columns, for which our matrices are transposed: Cᵀ = op(B)ᵀ · op(A)ᵀ.
    private void Multiply(in GemmShape s, ArrayView<float> a, ArrayView<float> b, ArrayView<float> c)
    {
        for (int i = 0; i < s.Batch; i++)
        {
            blas.Gemm(
                s.TransposeB ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
                s.TransposeA ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
                s.N, s.M, s.K, s.Alpha, From(b, i * s.StrideB), s.LdB, From(a, i * s.StrideA), s.LdA, s.Beta, From(c, i * s.StrideC),
                s.LdC);
        }
    }

    private static ArrayView<float> From(ArrayView<float> view, long start) => view.SubView(start, view.Length - start);
}
