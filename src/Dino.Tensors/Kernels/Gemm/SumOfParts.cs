using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>The end of a product whose k was cut into parts: their sums are added in order, and finished.</summary>
internal readonly struct SumOfParts<TFinish>(
    in TiledGemmArguments product, int parts, ArrayView<float> sums, ArrayView<float> c, EpilogueViews follow) : IElementBody
    where TFinish : struct, IFinish
{
    private readonly TiledGemmArguments product = product;
    private readonly int parts = parts;
    private readonly ArrayView<float> sums = sums, c = c;
    private readonly EpilogueViews follow = follow;

    /// <summary>C from the sums (batch · parts, M, N), which may be C itself if that is dense.</summary>
    public static void Finish(Device device, in GemmShape shape, Tensor sums, int parts, Tensor c, in Epilogue epilogue) =>
        ElementLoop<SumOfParts<TFinish>>.OnAccelerator(
            device, shape.Batch * shape.M * shape.N,
            new(new(shape, epilogue, edge: 1, parts: 1, stepsPerPart: shape.K), parts, sums.View, c.View, epilogue.Views));

    public void At(int i, int end)
    {
        int size = product.M * product.N, batch = i / size, inMatrix = i - batch * size, row = inMatrix / product.N,
            column = inMatrix - row * product.N;
        int from = batch * parts * size + inMatrix;
        float sum = 0;
        for (int part = 0; part < parts; part++, from += size)
            sum += sums.Read(from);
        product.Store<TFinish>(c, follow, row, column, batch * product.StrideC + row * product.LdC + column, sum);
    }
}
