using System.Reflection;
using System.Runtime.InteropServices;
using Dino.Tensors.Kernels.TensorCores;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Dino.Tensors.Kernels.Simt;

/// <summary>ILGPU's context as this library needs it.</summary>
internal static class Accelerators
{
    static Accelerators() => NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, ResolveOpenCL);

    /// <summary>A context with all devices that can run kernels from here.</summary>
    /// <param name="refused">Takes in why others cannot.</param>
    /// <param name="simulateTensorCores">
    /// Gives simulated threads NVIDIA's warps of 32, in groups of 256: slower, as each is a thread of the system.
    /// </param>
    public static Context CreateContext(ICollection<string>? refused = null, bool simulateTensorCores = false) => Context.Create(builder =>
    {
        builder.CPU(simulateTensorCores
                ? new CPUDevice(TensorCore.Lanes, Device.MaxGroupSize / TensorCore.Lanes, numMultiprocessors: 1)
                : new CPUDevice(numThreadsPerWarp: 4, numWarpsPerMultiprocessor: 16, numMultiprocessors: 1))
            // The default filter asks for OpenCL C 2.0 by a query that OpenCL 3 devices answer with 1.2.
            .OpenCL(device =>
            {
                if (device.Capabilities.GenericAddressSpace)
                    return true;
                refused?.Add($"OpenCL: {device.Name.Trim()} was left out: it offers OpenCL {device.DeviceVersion} without a generic "
                    + $"address space, "
                    + "which kernels here need (OpenCL C 2.0).");
                return false;
            })
            .Cuda();
        Configure(builder);
    });

    /// <summary>A function of the system's OpenCL library; 0 if there is no such library, or no such function in it.</summary>
    public static nint OpenCLFunction(string name)
    {
        string[] names = ["libOpenCL.so.1", "libOpenCL.so", "OpenCL.dll", "/System/Library/Frameworks/OpenCL.framework/OpenCL"];
        foreach (string library in names)
        {
            if (NativeLibrary.TryLoad(library, out nint handle) && NativeLibrary.TryGetExport(handle, name, out nint function))
                return function;
        }
        return 0;
    }

    /// <summary>Whether the system has the library through which devices of this kind are found.</summary>
    public static bool HasDriver(AcceleratorType type)
    {
        string[] names = type == AcceleratorType.Cuda ? ["libcuda.so.1", "nvcuda.dll"] : ["libOpenCL.so", "libOpenCL.so.1", "OpenCL.dll"];
        return names.Any(name => NativeLibrary.TryLoad(name, out _));
    }

    /// <summary>The settings that decide what code a kernel becomes.</summary>
    public static void Configure(Context.Builder builder)
    {
        builder.EnableAlgorithms().Optimize(OptimizationLevel.O2).Inlining(InliningMode.Aggressive);
        Intrinsics.Register(builder);
    }

    /// <summary>Whether tensor-core kernels run on it, given a context that simulates them.</summary>
    public static bool HasTensorCores(ILGPU.Runtime.Device device) => device switch
    {
        CudaDevice cuda => cuda.Architecture >= CudaArchitecture.SM_80,
        CPUDevice => true,
        _ => false,
    };

    public static bool IsGpu(ILGPU.Runtime.Device device) =>
        device is not CLDevice { DeviceType: not CLDeviceType.CL_DEVICE_TYPE_GPU };

    // Most Linux systems have libOpenCL.so.1 alone; ILGPU asks for the development package's name.
    private static nint ResolveOpenCL(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (!name.Contains("OpenCL", StringComparison.OrdinalIgnoreCase) || !OperatingSystem.IsLinux())
            return 0;
        return NativeLibrary.TryLoad("libOpenCL.so", assembly, path, out nint handle)
            || NativeLibrary.TryLoad("libOpenCL.so.1", assembly, path, out handle) ? handle : 0;
    }
}
