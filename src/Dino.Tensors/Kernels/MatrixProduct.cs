namespace Dino.Tensors.Kernels;

/// <summary>The matrix product of each kind of device behind one call.</summary>
internal static class MatrixProduct
{
    /// <summary>c = alpha · op(a) · op(b) + beta · c, and + bias in every row if there is one.</summary>
    public static unsafe void Run(Device device, in GemmShape shape, Tensor a, Tensor b, Tensor c, Tensor? bias = null)
    {
        if (!device.IsHost)
            throw new InvalidOperationException();
        if (bias is null)
            HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer);
        else
            HostGemm.Run(device.Team, shape, a.Pointer, b.Pointer, c.Pointer, new BiasEpilogue(bias.Pointer));
    }
}
