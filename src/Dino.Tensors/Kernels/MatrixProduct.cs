using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors.Kernels;

/// <summary>The matrix product of each kind of device behind one call.</summary>
internal static class MatrixProduct
{
    /// <summary>c = alpha · op(a) · op(b) + beta · c, and + bias in every row if there is one.</summary>
    public static unsafe void Run(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, Tensor? bias = null)
    {
        if (!device.IsHost)
            OnAccelerator(device, shape, a, b, c, bias);
        else
            HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer, bias is null ? null : bias.Pointer, default(NoEpilogue));
    }

    private static void OnAccelerator(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, Tensor? bias)
    {
        if (c.Count == 0)
            return;
        // A large tile reads its operands less often; on a small matrix it leaves most of the device idle.
        if (device.GroupSize < Tile<SimtTile8>.GroupSize)
            Tile<SimtTile4>.Run(device, shape, a, b, c, bias);
        else if (device.GroupSize < Tile<SimtTile16>.GroupSize || (long)shape.M * shape.N * shape.Batch < 256 * 256)
            Tile<SimtTile8>.Run(device, shape, a, b, c, bias);
        else
            Tile<SimtTile16>.Run(device, shape, a, b, c, bias);
    }

    private static class Tile<TTile> where TTile : struct, ISimtTile
    {
        private static readonly Kernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>,
            ArrayView<float>, SimtGemmArguments>> kernel = new(SimtGemm<TTile>.Kernel, new KernelSpecialization(GroupSize, null));

        public static int GroupSize => SimtGemm<TTile>.GroupSize;

        public static void Run(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, Tensor? bias)
        {
            var arguments = SimtGemm<TTile>.Arguments(shape, bias is not null);
            kernel.On(device)(
                device.Stream, new KernelConfig(SimtGemm<TTile>.GridSize(arguments, shape.Batch), GroupSize),
                a.View, b.View, c.View, (bias ?? c).View, arguments);
        }
    }
}
