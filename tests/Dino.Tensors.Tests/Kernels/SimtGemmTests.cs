using Dino.Tensors.Kernels.Gemm;
using ILGPU;
using ILGPU.Runtime;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>The accelerator's matrix products against double precision, where they can run: simulated threads and OpenCL.</summary>
public class SimtGemmTests
{
    private delegate void Entry(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s);

    [Test]
    public void Product_OnSimulatedThreads()
    {
        using var device = SimtAccelerator.Open("cpu");
        Products<SimtTile4>(device, [(1, 1, 1), (5, 7, 3), (16, 16, 16), (17, 18, 19)]);
    }

    [Test]
    public void Product_OnOpenCL()
    {
        using var device = SimtAccelerator.Open("opencl");
        Products<SimtTile4>(device, [(1, 1, 1), (17, 18, 19)]);
        Products<SimtTile8>(device, [(5, 7, 3), (33, 31, 40)]);
        Products<SimtTile16>(device, [(1, 5, 7), (64, 64, 16), (65, 130, 37), (197, 192, 64)]);
    }

    [TestCase("cpu:256")]
    [TestCase("opencl")]
    public void WideProduct_OfAlignedOperands(string kind)
    {
        using var device = SimtAccelerator.Open(kind);
        Wide<AlongSteps, AlongRows>(device, transposeA: false, transposeB: false);
        Wide<AlongSteps, AlongSteps>(device, transposeA: false, transposeB: true);
        Wide<AlongRows, AlongRows>(device, transposeA: true, transposeB: false);
        Wide<AlongRows, AlongSteps>(device, transposeA: true, transposeB: true);
    }

    private static void Wide<TLayoutA, TLayoutB>(SimtAccelerator device, bool transposeA, bool transposeB)
        where TLayoutA : struct, IOperandLayout
        where TLayoutB : struct, IOperandLayout
    {
        Entry entry = WideGemm<TLayoutA, TLayoutB, PlainFinish>.Kernel;
        foreach (var (m, n, k, batch) in (ReadOnlySpan<(int, int, int, int)>)[(4, 132, 12, 2), (132, 8, 20, 1)])
            Product(
                device, entry, WideGemm<TLayoutA, TLayoutB, PlainFinish>.GroupSize, WideGemm<TLayoutA, TLayoutB, PlainFinish>.Edge,
                GemmShape.Dense(m, n, k, transposeA, transposeB, batch), gap: 4, beta: batch - 1, bias: batch == 1);
    }

    private static void Products<TTile>(SimtAccelerator device, (int M, int N, int K)[] sizes) where TTile : struct, ISimtTile
    {
        Entry entry = SimtGemm<TTile, PlainFinish>.Kernel;
        int form = 0;
        foreach (var (m, n, k) in sizes)
        {
            for (int i = 0; i < 2; i++, form++)
            {
                var shape = GemmShape.Dense(m, n, k, transposeA: form % 2 == 1, transposeB: form / 2 % 2 == 0, batch: 1 + form % 2);
                Product(device, entry, SimtGemm<TTile, PlainFinish>.GroupSize, SimtGemm<TTile, PlainFinish>.Edge, shape, gap: form % 3,
                    beta: i, bias: form % 3 == 1);
            }
        }
    }

    private static void Product(
        SimtAccelerator device, Entry entry, int groupSize, int edge, GemmShape dense, int gap, float beta, bool bias)
    {
        var kernel = device.Accelerator.LoadKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>,
            ArrayView<float>, EpilogueViews, TiledGemmArguments>>(entry.Method, new KernelSpecialization(groupSize, null));
        var product = new ReferenceProduct(dense, gap, alpha: 0.5f, beta, garbageInC: beta == 0);
        using var a = device.Upload(product.A);
        using var b = device.Upload(product.B);
        using var c = device.Upload(product.C);
        using var v = device.Upload(product.Bias);
        var arguments = new TiledGemmArguments(product.Shape, bias, edge);
        var follow = new EpilogueViews(bias ? v.View : default(ArrayView<float>), default, default, default);

        kernel(device.Accelerator.DefaultStream, new KernelConfig(arguments.GridSize(dense.Batch), groupSize), a.View, b.View, c.View,
            follow, arguments);

        product.Check(c.GetAsArray1D(), $"{entry.Method.DeclaringType}, bias {bias}", bias ? (x, _, j) => x + product.Bias[j] : null);
    }
}
