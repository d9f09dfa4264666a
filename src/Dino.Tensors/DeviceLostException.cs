using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Dino.Tensors;

/// <summary>A device's driver refused to go on: a GPU that was reset, removed, or ran into an error. Its numbers are lost.</summary>
public sealed class DeviceLostException : Exception
{
    /// <summary>An exception without a message.</summary>
    public DeviceLostException() { }

    /// <summary>Says which device, and what its driver said.</summary>
    public DeviceLostException(string message) : base(message) { }

    /// <summary>Says which device, and what its driver said.</summary>
    public DeviceLostException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Whether the driver had not the memory for what a kernel needs, which some drivers find out at its launch alone.</summary>
    public bool IsMemory => InnerException is { } inner && IsOutOfMemory(inner);

    /// <summary>What an exception means if it came out of a device's driver; null if it did not.</summary>
    /// <remarks>Drivers report an error at any later call: launches, copies, waits.</remarks>
    public static DeviceLostException? From(Exception exception)
    {
        if (exception is DeviceLostException lost)
            return lost;
        return exception is not AcceleratorException { AcceleratorType: var type } ? null : new DeviceLostException(
            IsOutOfMemory(exception)
                ? $"The {type} device ran out of memory while it worked ({Reason(exception)})."
                : $"The {type} device failed: {Reason(exception)}. It may have been reset, removed, or taken by an error of its driver.",
            exception);
    }

    // An OpenCL exception has no words of its own.
    private static string Reason(Exception exception) => exception is CLException cl ? cl.Error.ToString() : exception.Message.TrimEnd('.');

    internal static bool IsOutOfMemory(Exception exception) => exception
        is CudaException { Error: nameof(CudaError.CUDA_ERROR_OUT_OF_MEMORY) }
        or CLException { Error: CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE or CLError.CL_OUT_OF_RESOURCES or CLError.CL_OUT_OF_HOST_MEMORY };
}
