using Dino.Tensors.Kernels.Simt;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.OpenCL;

namespace Dino.Tensors;

/// <summary>A device of this machine.</summary>
/// <param name="Name">What <see cref="Device.Open"/> takes.</param>
/// <param name="Kind">What computes: an NVIDIA GPU by CUDA, a GPU or processor by OpenCL, the host.</param>
/// <param name="Description">The hardware's own name.</param>
/// <param name="MemoryBytes">Its memory; 0 where that is no property of its own.</param>
/// <param name="ComputeUnits">Multiprocessors of a GPU, cores of the host; 0 where that means nothing.</param>
public sealed record DeviceInfo(string Name, string Kind, string Description, long MemoryBytes, int ComputeUnits);

/// <summary>Where this machine can compute, and why not elsewhere.</summary>
public sealed class DeviceList
{
    private DeviceList(IReadOnlyList<DeviceInfo> devices, IReadOnlyList<string> missing) => (Devices, Missing) = (devices, missing);

    /// <summary>Every device that can be opened, the fastest kinds first.</summary>
    public IReadOnlyList<DeviceInfo> Devices { get; }

    /// <summary>What is not there, one sentence each: drivers that were not found, devices that were refused.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Looks for all devices; takes some tenths of a second.</summary>
    public static DeviceList Find()
    {
        var refused = new List<string>();
        using var context = Accelerators.CreateContext(refused);
        List<DeviceInfo> devices =
        [
            .. Of(context, AcceleratorType.Cuda, "cuda", _ => "NVIDIA GPU"),
            .. Of(context, AcceleratorType.OpenCL, "opencl",
                device => Accelerators.IsGpu(device) ? "OpenCL GPU" : "OpenCL on the processor"),
        ];
        List<string> missing = [];
        if (!devices.Exists(device => device.Name.StartsWith("cuda", StringComparison.Ordinal)))
            missing.Add(Accelerators.HasDriver(AcceleratorType.Cuda)
                ? "CUDA: the driver is there, but shows no GPU."
                : "CUDA: no driver was found (libcuda.so.1, nvcuda.dll); an NVIDIA GPU needs NVIDIA's own.");
        if (!devices.Exists(device => device.Name.StartsWith("opencl", StringComparison.Ordinal)) && refused.Count == 0)
            missing.Add(Accelerators.HasDriver(AcceleratorType.OpenCL)
                ? "OpenCL: the loader is there, but no driver offers it a device."
                : "OpenCL: no loader was found (libOpenCL.so.1, OpenCL.dll); it comes with the GPU's driver or as ocl-icd-libopencl1.");
        missing.AddRange(refused);

        using var host = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        devices.Add(new("cpu", "host", host.Description, host.MemoryBytes, Environment.ProcessorCount));
        devices.Add(new("cpu:debug", "simulation", "kernels on simulated GPU threads, for breakpoints; slow", 0, 0));
        return new(devices, missing);
    }

    private static IEnumerable<DeviceInfo> Of(
        Context context, AcceleratorType type, string name, Func<ILGPU.Runtime.Device, string> kind) =>
        context.Devices.Where(device => device.AcceleratorType == type).Select((device, i) => new DeviceInfo(
            $"{name}:{i}", kind(device), device is CLDevice cl ? $"{device.Name.Trim()} (OpenCL {cl.DeviceVersion})" : device.Name,
            device.MemorySize, device.NumMultiprocessors));
}
