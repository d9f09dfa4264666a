using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels.TensorCores;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime.Cuda;

namespace Dino.Tensors.Kernels.Simt;

/// <summary>Instructions that ILGPU has no portable name for: one body for each backend.</summary>
internal static class Intrinsics
{
    /// <summary>a · b + c. <see cref="MathF.FusedMultiplyAdd"/> itself compiles to a call of an undefined function on GPUs.</summary>
    [IntrinsicImplementation]
    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    public static void Register(Context.Builder builder)
    {
        var intrinsics = builder.GetIntrinsicManager();
        Redirect(intrinsics, typeof(Intrinsics), nameof(Fma), nameof(FmaOpenCL), nameof(FmaPtx));
        RedirectPtx(intrinsics, typeof(TensorCore), nameof(TensorCore.MultiplyTf32), nameof(TensorCore.MultiplyTf32Ptx));
        RedirectPtx(intrinsics, typeof(TensorCore), nameof(TensorCore.MultiplyBf16), nameof(TensorCore.MultiplyBf16Ptx));
        RedirectPtx(intrinsics, typeof(TensorCore), nameof(TensorCore.ToTf32), nameof(TensorCore.ToTf32Ptx));
        RedirectPtx(intrinsics, typeof(TensorCore), nameof(TensorCore.ToBf16), nameof(TensorCore.ToBf16Ptx));
        Redirect(intrinsics, typeof(CheckedView), nameof(CheckedView.IsInside), nameof(CheckedView.IsAlwaysInside),
            nameof(CheckedView.IsAlwaysInside));
        Redirect(intrinsics, typeof(Intrinsics), nameof(Product), nameof(ProductOpenCL), nameof(ProductPtx));
        Redirect(intrinsics, typeof(SharedCheck), nameof(SharedCheck.MayRead), nameof(SharedCheck.AlwaysRead),
            nameof(SharedCheck.AlwaysRead));
        Redirect(intrinsics, typeof(SharedCheck), nameof(SharedCheck.MayWrite), nameof(SharedCheck.AlwaysWrite),
            nameof(SharedCheck.AlwaysWrite));
        Redirect(intrinsics, typeof(SharedCheck), nameof(SharedCheck.PassBarrier), nameof(SharedCheck.AlwaysPass),
            nameof(SharedCheck.AlwaysPass));
    }

    /// <summary>a · b, rounded by itself: no compiler may make it part of a fused multiply-add.</summary>
    [IntrinsicImplementation]
    public static float Product(float a, float b) => a * b;

    private static void Redirect(IntrinsicImplementationManager intrinsics, Type type, string method, string openCL, string ptx)
    {
        intrinsics.RegisterMethod(type.GetMethod(method)!, new CLIntrinsic(type, openCL, IntrinsicImplementationMode.Redirect));
        RedirectPtx(intrinsics, type, method, ptx);
    }

    private static void RedirectPtx(IntrinsicImplementationManager intrinsics, Type type, string method, string ptx) =>
        intrinsics.RegisterMethod(type.GetMethod(method)!, new PTXIntrinsic(type, ptx, IntrinsicImplementationMode.Redirect));

    // The assembler contracts this to one instruction.
    public static float FmaPtx(float a, float b, float c) => a * b + c;

    // With its rounding named, the assembler leaves it alone.
    public static float ProductPtx(float a, float b)
    {
        CudaAsm.Emit("mul.rn.f32 %0, %1, %2;", out float product, a, b);
        return product;
    }

    // Each operation becomes a statement, and OpenCL fuses within one alone.
    public static float ProductOpenCL(float a, float b) => a * b;

    public static float FmaOpenCL(float a, float b, float c) => fma(a, b, c);

#pragma warning disable IDE1006 // OpenCL's own name for it
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern float fma(float a, float b, float c);
#pragma warning restore IDE1006
}
