using Dino.Tensors.Kernels;
using ILGPU;
using ILGPU.Runtime;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>The accelerator's matrix product against double precision, where it can run: simulated threads and OpenCL.</summary>
public class SimtGemmTests
{
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

    private static void Products<TTile>(SimtAccelerator device, (int M, int N, int K)[] sizes) where TTile : struct, ISimtTile
    {
        var kernel = device.Accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
            SimtGemmArguments>(SimtGemm<TTile>.Kernel);
        int form = 0;
        foreach (var (m, n, k) in sizes)
        {
            for (int i = 0; i < 2; i++, form++)
            {
                bool bias = form % 3 == 1;
                var shape = GemmShape.Dense(m, n, k, transposeA: form % 2 == 1, transposeB: form / 2 % 2 == 0, batch: 1 + form % 2);
                var product = new MatrixProduct(shape, gap: form % 3, alpha: 0.5f, beta: i, garbageInC: i == 0);
                using var a = device.Upload(product.A);
                using var b = device.Upload(product.B);
                using var c = device.Upload(product.C);
                using var v = device.Upload(product.Bias);
                SimtGemmArguments arguments = SimtGemm<TTile>.Arguments(product.Shape, bias);
                kernel(new KernelConfig(SimtGemm<TTile>.GridSize(arguments, shape.Batch), SimtGemm<TTile>.GroupSize),
                    a.View, b.View, c.View, v.View, arguments);
                product.Check(c.GetAsArray1D(), $"{typeof(TTile).Name}, bias {bias}", bias ? (x, _, j) => x + product.Bias[j] : null);
            }
        }
    }
}
