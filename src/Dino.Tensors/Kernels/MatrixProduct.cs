using ILGPU;
using ILGPU.Runtime;
using Launcher = System.Action<ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>, Dino.Tensors.Kernels.EpilogueViews, Dino.Tensors.Kernels.TiledGemmArguments>;

namespace Dino.Tensors.Kernels;

/// <summary>The matrix product of each kind of device behind one call.</summary>
internal static class MatrixProduct
{
    /// <summary>c = alpha · op(a) · op(b) + beta · c, finished by the epilogue.</summary>
    public static unsafe void Run(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue = default)
    {
        if (c.Count == 0)
            return;
        using var arena = device.BeginScope();
        (a, b) = (NarrowOperand.Of(a), NarrowOperand.Of(b));
        if (!device.IsHost)
        {
            OnAccelerator(device, shape, a, b, c, epilogue);
            return;
        }
        float* bias = Pointer(epilogue.Bias), other = Pointer(epilogue.Other), factors = Pointer(epilogue.Factors), kept = Pointer(epilogue.Kept);
        switch (epilogue.Kind)
        {
            case EpilogueKind.None:
                HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer, bias, default(NoEpilogue));
                break;
            case EpilogueKind.Branch:
                var branch = new BranchEpilogue(other, factors, epilogue.RowsPerSample, shape.LdC);
                HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer, bias, branch);
                break;
            case EpilogueKind.ColumnScale:
                HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer, bias, new ColumnScaleEpilogue(factors));
                break;
            case EpilogueKind.Gelu:
                HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer, bias, new GeluEpilogue(kept, shape.LdC));
                break;
            case EpilogueKind.GeluBackward:
                HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer, bias, new GeluBackwardEpilogue(other, kept, shape.LdC));
                break;
        }
    }

    private static unsafe float* Pointer(Tensor? tensor) => tensor is null ? null : tensor.Pointer;

    private static void OnAccelerator(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
    {
        if (device.VendorProduct is { } vendor)
        {
            vendor.Run(device, shape, a, b, c, epilogue);
            return;
        }
        bool large = IsLarge(shape) && IsAligned(shape, a, b, c, epilogue);
        if (large && device.UsesTensorCores)
        {
            if (device.Precision == Precision.Bf16)
                ByLayout<MmaProduct<MmaBf16>>(device, shape, a, b, c, epilogue);
            else
                ByLayout<MmaProduct<MmaTf32>>(device, shape, a, b, c, epilogue);
        }
        // A large tile reads its operands less often; on a small matrix it leaves most of the device idle.
        else if (device.GroupSize < SimtGemm<SimtTile8>.GroupSize)
            Simt<SimtTile4>.Run(device, shape, a, b, c, epilogue);
        else if (device.GroupSize < 256 || (long)shape.M * shape.N * shape.Batch < 256 * 256)
            Simt<SimtTile8>.Run(device, shape, a, b, c, epilogue);
        else if (!large)
            Simt<SimtTile16>.Run(device, shape, a, b, c, epilogue);
        else
            ByLayout<WideProduct>(device, shape, a, b, c, epilogue);
    }

    // Tiles of 128 × 128, of which a small matrix would fill little.
    private static bool IsLarge(in GemmShape s) => s.M >= 64 && s.N >= 64;

    /// <summary>Whether four neighbours in memory are always one aligned access, entirely inside or outside.</summary>
    private static bool IsAligned(in GemmShape s, Tensor a, Tensor b, Tensor c, in Epilogue e)
    {
        int along = (s.TransposeA ? s.M : s.K) | (s.TransposeB ? s.K : s.N) | s.N, ld = s.LdA | s.LdB | s.LdC;
        long stride = s.StrideA | s.StrideB | s.StrideC;
        return ((along | ld) & 3) == 0 && (stride & 3) == 0 && a.IsAligned && b.IsAligned && c.IsAligned && e.Kept is null or { IsAligned: true };
    }

    private static void ByLayout<TProduct>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
        where TProduct : struct, ITiledProduct
    {
        switch (shape.TransposeA, shape.TransposeB)
        {
            case (false, false):
                TProduct.Run<AlongSteps, AlongRows>(device, shape, a, b, c, epilogue);
                break;
            case (false, true):
                TProduct.Run<AlongSteps, AlongSteps>(device, shape, a, b, c, epilogue);
                break;
            case (true, false):
                TProduct.Run<AlongRows, AlongRows>(device, shape, a, b, c, epilogue);
                break;
            case (true, true):
                TProduct.Run<AlongRows, AlongSteps>(device, shape, a, b, c, epilogue);
                break;
        }
    }

    private static void Launch(
        Kernel<Launcher> kernel, int groupSize, int edge, Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
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
        SumOfParts.Finish(device, shape, sums, parts, c, epilogue);
    }

    /// <summary>
    /// A small C over a long k (the gradient of a weight) has fewer tiles than the device has multiprocessors: then k is cut into parts whose
    /// sums are added afterwards, in the same order every time. A very long k always is: one sum over 10⁶ steps is off by parts in a thousand.
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
        static abstract void Run<TLayoutA, TLayoutB>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
            where TLayoutA : struct, IOperandLayout
            where TLayoutB : struct, IOperandLayout;
    }

    private readonly struct WideProduct : ITiledProduct
    {
        public static void Run<TLayoutA, TLayoutB>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
            where TLayoutA : struct, IOperandLayout
            where TLayoutB : struct, IOperandLayout => Launch(
            Wide<TLayoutA, TLayoutB>.Kernel, WideGemm<TLayoutA, TLayoutB>.GroupSize, WideGemm<TLayoutA, TLayoutB>.Edge,
            device, shape, a, b, c, epilogue);
    }

    private readonly struct MmaProduct<TNumber> : ITiledProduct where TNumber : struct, IMmaNumber
    {
        public static void Run<TLayoutA, TLayoutB>(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue)
            where TLayoutA : struct, IOperandLayout
            where TLayoutB : struct, IOperandLayout => Launch(
            Mma<TNumber, TLayoutA, TLayoutB>.Kernel, MmaGemm<TNumber, TLayoutA, TLayoutB>.GroupSize, MmaGemm<TNumber, TLayoutA, TLayoutB>.Edge,
            device, shape, a, b, c, epilogue);
    }

    private static class Simt<TTile> where TTile : struct, ISimtTile
    {
        private static readonly Kernel<Launcher> kernel = new(SimtGemm<TTile>.Kernel, new(SimtGemm<TTile>.GroupSize, null));

        public static void Run(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, in Epilogue epilogue) =>
            Launch(kernel, SimtGemm<TTile>.GroupSize, SimtGemm<TTile>.Edge, device, shape, a, b, c, epilogue);
    }

    private static class Wide<TLayoutA, TLayoutB>
        where TLayoutA : struct, IOperandLayout
        where TLayoutB : struct, IOperandLayout
    {
        public static readonly Kernel<Launcher> Kernel = new(
            WideGemm<TLayoutA, TLayoutB>.Kernel, new(WideGemm<TLayoutA, TLayoutB>.GroupSize, WideGemm<TLayoutA, TLayoutB>.Groups));
    }

    private static class Mma<TNumber, TLayoutA, TLayoutB>
        where TNumber : struct, IMmaNumber
        where TLayoutA : struct, IOperandLayout
        where TLayoutB : struct, IOperandLayout
    {
        public static readonly Kernel<Launcher> Kernel = new(
            MmaGemm<TNumber, TLayoutA, TLayoutB>.Kernel, new(MmaGemm<TNumber, TLayoutA, TLayoutB>.GroupSize, 2), tensorCores: true);
    }
}
