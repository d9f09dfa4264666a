using Dino.Tensors.Kernels.Simt;
using Dino.Tensors.Kernels.TensorCores;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.OpenCL;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// A bare accelerator for kernel tests: ILGPU's simulation with 16 threads a group, or with 256 in warps of 32, or the first OpenCL device.
/// </summary>
internal sealed class SimtAccelerator : IDisposable
{
    private readonly Context context;

    private SimtAccelerator(Context context, Accelerator accelerator) => (this.context, Accelerator) = (context, accelerator);

    public Accelerator Accelerator { get; }

    /// <summary>Opens "cpu", "cpu:256" or "opencl"; without an OpenCL device the test ends inconclusive.</summary>
    public static SimtAccelerator Open(string kind)
    {
        if (kind != "opencl")
        {
            var threads = kind == "cpu" ? new CPUDevice(4, 4, 1) : new CPUDevice(TensorCore.Lanes, 8, 1);
            var context = Context.Create(builder => Common(builder).CPU(threads));
            return new SimtAccelerator(context, context.CreateCPUAccelerator(0));
        }
        Context? opencl = null;
        try
        {
            // ILGPU's own filter asks for OpenCL C 2.0 by a query that newer drivers answer with 1.2.
            opencl = Context.Create(builder => Common(builder).OpenCL(device => device.Capabilities.GenericAddressSpace));
        }
        catch (Exception error) when (error is DllNotFoundException or TypeInitializationException or CLException)
        {
            Assert.Inconclusive($"no OpenCL: {error.Message}");
        }
        if (opencl!.GetCLDevices().Count > 0)
            return new SimtAccelerator(opencl, opencl.CreateCLAccelerator(0));
        opencl.Dispose();
        Assert.Inconclusive("no OpenCL device");
        throw new InvalidOperationException();
    }

    public MemoryBuffer1D<float, Stride1D.Dense> Upload(float[] values) => Accelerator.Allocate1D(values);

    public MemoryBuffer1D<float, Stride1D.Dense> Filled(int count, float value)
    {
        float[] values = new float[count];
        Array.Fill(values, value);
        return Accelerator.Allocate1D(values);
    }

    public void Dispose()
    {
        Accelerator.Dispose();
        context.Dispose();
    }

    private static Context.Builder Common(Context.Builder builder)
    {
        Accelerators.Configure(builder);
        return builder.Verify();
    }
}
