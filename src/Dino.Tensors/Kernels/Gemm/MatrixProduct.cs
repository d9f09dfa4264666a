using System.Runtime.Intrinsics;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Kernels.TensorCores;
using ILGPU;
using ILGPU.Runtime;
using Launcher = System.Action<ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>, Dino.Tensors.Kernels.Gemm.EpilogueViews, Dino.Tensors.Kernels.Gemm.TiledGemmArguments>;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>The matrix product of each kind of device behind one call.</summary>
internal static class MatrixProduct
{
    /// <summary>c = alpha · op(a) · op(b) + beta · c, finished by an epilogue without an activation.</summary>
    public static unsafe void Run(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue = default)
    {
        if (c.Count == 0)
            return;
        using var arena = device.BeginScope();
        (a, b) = (NarrowOperand.Of(a), NarrowOperand.Of(b));
        if (!device.IsHost)
            OnAccelerator<PlainFinish>(device, shape, a, b, c, epilogue);
        else if (epilogue.Kind == EpilogueKind.Branch)
            OnHost<BranchEpilogue>(device, shape, a, b, c, epilogue);
        else if (epilogue.Kind == EpilogueKind.ColumnScale)
            OnHost<ColumnScaleEpilogue>(device, shape, a, b, c, epilogue);
        else
            HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer, Pointer(epilogue.Bias), default(NoEpilogue));
    }

    /// <summary>
    /// The same with an activation: <see cref="EpilogueKind.Activation"/> or <see cref="EpilogueKind.ActivationBackward"/>.
    /// </summary>
    public static void Run<TActivation>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
        where TActivation : struct, IActivation
    {
        if (c.Count == 0)
            return;
        using var arena = device.BeginScope();
        (a, b) = (NarrowOperand.Of(a), NarrowOperand.Of(b));
        if (!device.IsHost)
            OnAccelerator<ActivationFinish<TActivation>>(device, shape, a, b, c, epilogue);
        else if (epilogue.Kind == EpilogueKind.Activation)
            OnHost<ActivationEpilogue<TActivation>>(device, shape, a, b, c, epilogue);
        else
            OnHost<ActivationBackwardEpilogue<TActivation>>(device, shape, a, b, c, epilogue);
    }

    private static void OnHost<TEpilogue>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue e)
        where TEpilogue : struct, IEpilogue
    {
        // In vectors as wide as the product's tiles.
        if (Vector512.IsHardwareAccelerated)
            InVectors<TEpilogue, WideSimd>(device, shape, a, b, c, e);
        else
            InVectors<TEpilogue, Simd>(device, shape, a, b, c, e);
    }

    private static unsafe void InVectors<TEpilogue, TNumber>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue e)
        where TEpilogue : struct, IEpilogue
        where TNumber : struct, IVectorNumber<TNumber> => HostGemm.Run(
        device.Team, shape, a.Pointer, b.Pointer, c.Pointer, Pointer(e.Bias),
        new HostEpilogue<TEpilogue, TNumber>(Pointer(e.Other), Pointer(e.Factors), Pointer(e.Kept), e.RowsPerSample, shape.LdC));

    private static unsafe float* Pointer(Tensor? tensor) => tensor is null ? null : tensor.Pointer;

    private static void OnAccelerator<TFinish>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
        where TFinish : struct, IFinish
    {
        if (device.VendorProduct is { } vendor)
        {
            vendor.Run<TFinish>(device, shape, a, b, c, epilogue);
            return;
        }
        bool large = IsLarge(shape) && IsAligned(shape, a, b, c, epilogue);
        if (large && device.UsesTensorCores)
        {
            if (device.Precision == Precision.Bf16)
                ByLayout<MmaProduct<MmaBf16>, TFinish>(device, shape, a, b, c, epilogue);
            else
                ByLayout<MmaProduct<MmaTf32>, TFinish>(device, shape, a, b, c, epilogue);
        }
        // A large tile reads its operands less often; on a small matrix it leaves most of the device idle.
        else if (device.GroupSize < SimtGemm<SimtTile8, TFinish>.GroupSize)
            Simt<SimtTile4, TFinish>.Run(device, shape, a, b, c, epilogue);
        else if (device.GroupSize < 256 || (long)shape.M * shape.N * shape.Batch < 256 * 256)
            Simt<SimtTile8, TFinish>.Run(device, shape, a, b, c, epilogue);
        else if (!large)
            Simt<SimtTile16, TFinish>.Run(device, shape, a, b, c, epilogue);
        else
            ByLayout<WideProduct, TFinish>(device, shape, a, b, c, epilogue);
    }

    // Tiles of 128 × 128, of which a small matrix would fill little.
    private static bool IsLarge(in GemmShape s) => s.M >= 64 && s.N >= 64;

    /// <summary>Whether four neighbours in memory are always one aligned access, entirely inside or outside.</summary>
    private static bool IsAligned(in GemmShape s, Tensor a, Tensor b, Tensor c, in Epilogue e)
    {
        int along = (s.TransposeA ? s.M : s.K) | (s.TransposeB ? s.K : s.N) | s.N, ld = s.LdA | s.LdB | s.LdC;
        long stride = s.StrideA | s.StrideB | s.StrideC;
        return ((along | ld) & 3) == 0 && (stride & 3) == 0 && a.IsAligned && b.IsAligned && c.IsAligned
            && e.Kept is null or { IsAligned: true };
    }

    private static void ByLayout<TProduct, TFinish>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
        where TProduct : struct, ITiledProduct
        where TFinish : struct, IFinish
    {
        switch (shape.TransposeA, shape.TransposeB)
        {
            case (false, false):
                TProduct.Run<AlongSteps, AlongRows, TFinish>(device, shape, a, b, c, epilogue);
                break;
            case (false, true):
                TProduct.Run<AlongSteps, AlongSteps, TFinish>(device, shape, a, b, c, epilogue);
                break;
            case (true, false):
                TProduct.Run<AlongRows, AlongRows, TFinish>(device, shape, a, b, c, epilogue);
                break;
            case (true, true):
                TProduct.Run<AlongRows, AlongSteps, TFinish>(device, shape, a, b, c, epilogue);
                break;
        }
    }

    private static void Launch<TFinish>(
        Kernel<Launcher> kernel, int groupSize, int edge, Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c,
        in Epilogue epilogue)
        where TFinish : struct, IFinish
    {
        int parts = PartsOfSteps(device, shape, edge, out int stepsPerPart);
        var arguments = new TiledGemmArguments(shape, epilogue, edge, parts, stepsPerPart);
        var grid = new KernelConfig(arguments.GridSize(shape.Batch), groupSize);
        if (parts == 1)
        {
            kernel.On(device)(device.Stream, grid, a.View, b.View, c.View, epilogue.Views, arguments);
            return;
        }
        using var arena = device.BeginScope();
        var sums = device.Rent(new Shape(shape.Batch * parts, shape.M, shape.N));
        kernel.On(device)(device.Stream, grid, a.View, b.View, sums.View, default, arguments);
        SumOfParts<TFinish>.Finish(device, shape, sums, parts, c, epilogue);
    }

    /// <summary>
    /// A small C over a long k (the gradient of a weight) has fewer tiles than the device has multiprocessors: then k is cut into parts
    /// whose
    /// sums are added afterwards, in the same order every time. A very long k always is: one sum over 10⁶ steps is off by parts in a
    /// thousand.
    /// </summary>
    private static int PartsOfSteps(Device device, in GemmShape shape, int edge, out int stepsPerPart)
    {
        const int fewestSteps = 256, mostSteps = 4_096, multiple = 32; // of every strip's depth
        int tiles = (shape.M + edge - 1) / edge * ((shape.N + edge - 1) / edge) * shape.Batch;
        int wanted = Math.Max(Math.Min(2 * device.Multiprocessors / tiles, shape.K / fewestSteps), (shape.K + mostSteps - 1) / mostSteps);
        if (wanted < 2)
        {
            stepsPerPart = Math.Max(shape.K, 1);
            return 1;
        }
        stepsPerPart = ((shape.K + wanted - 1) / wanted + multiple - 1) / multiple * multiple;
        return (shape.K + stepsPerPart - 1) / stepsPerPart;
    }

    /// <summary>A kernel for large aligned operands, closed over how they lie.</summary>
    private interface ITiledProduct
    {
        static abstract void Run<TLayoutA, TLayoutB, TFinish>(
            Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
            where TLayoutA : struct, IOperandLayout
            where TLayoutB : struct, IOperandLayout
            where TFinish : struct, IFinish;
    }

    private readonly struct WideProduct : ITiledProduct
    {
        public static void Run<TLayoutA, TLayoutB, TFinish>(
            Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
            where TLayoutA : struct, IOperandLayout
            where TLayoutB : struct, IOperandLayout
            where TFinish : struct, IFinish => Launch<TFinish>(
            Wide<TLayoutA, TLayoutB, TFinish>.Kernel, WideGemm<TLayoutA, TLayoutB, TFinish>.GroupSize,
            WideGemm<TLayoutA, TLayoutB, TFinish>.Edge,
            device, shape, a, b, c, epilogue);
    }

    private readonly struct MmaProduct<TNumber> : ITiledProduct where TNumber : struct, IMmaNumber
    {
        public static void Run<TLayoutA, TLayoutB, TFinish>(
            Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
            where TLayoutA : struct, IOperandLayout
            where TLayoutB : struct, IOperandLayout
            where TFinish : struct, IFinish => Launch<TFinish>(
            Mma<TNumber, TLayoutA, TLayoutB, TFinish>.Kernel, MmaGemm<TNumber, TLayoutA, TLayoutB, TFinish>.GroupSize,
            MmaGemm<TNumber, TLayoutA, TLayoutB, TFinish>.Edge,
            device, shape, a, b, c, epilogue);
    }

    private static class Simt<TTile, TFinish>
        where TTile : struct, ISimtTile
        where TFinish : struct, IFinish
    {
        private static readonly Kernel<Launcher> kernel =
            new(SimtGemm<TTile, TFinish>.Kernel, new(SimtGemm<TTile, TFinish>.GroupSize, null));

        public static void Run(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue) => Launch<TFinish>(
            kernel, SimtGemm<TTile, TFinish>.GroupSize, SimtGemm<TTile, TFinish>.Edge, device, shape, a, b, c, epilogue);
    }

    private static class Wide<TLayoutA, TLayoutB, TFinish>
        where TLayoutA : struct, IOperandLayout
        where TLayoutB : struct, IOperandLayout
        where TFinish : struct, IFinish
    {
        public static readonly Kernel<Launcher> Kernel = new(
            WideGemm<TLayoutA, TLayoutB, TFinish>.Kernel,
            new(WideGemm<TLayoutA, TLayoutB, TFinish>.GroupSize, WideGemm<TLayoutA, TLayoutB, TFinish>.Groups));
    }

    private static class Mma<TNumber, TLayoutA, TLayoutB, TFinish>
        where TNumber : struct, IMmaNumber
        where TLayoutA : struct, IOperandLayout
        where TLayoutB : struct, IOperandLayout
        where TFinish : struct, IFinish
    {
        public static readonly Kernel<Launcher> Kernel = new(
            MmaGemm<TNumber, TLayoutA, TLayoutB, TFinish>.Kernel, new(MmaGemm<TNumber, TLayoutA, TLayoutB, TFinish>.GroupSize, 2),
            tensorCores: true);
    }
}
