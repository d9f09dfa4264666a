using Dino.Tensors.Kernels.Simt;
using ILGPU.Runtime.OpenCL;

namespace Dino.Tensors.Memory;

/// <summary>
/// A mark in an OpenCL queue, which makes a new event each time that it is set. ILGPU has the functions for itself alone.
/// </summary>
internal sealed unsafe class OpenCLEvent(Device device) : StreamEvent
{
    private const uint ExecutionStatus = 0x11D3; // CL_EVENT_COMMAND_EXECUTION_STATUS

    private static readonly delegate* unmanaged<nint, uint, nint*, nint*, int> enqueueMarker =
        (delegate* unmanaged<nint, uint, nint*, nint*, int>)Accelerators.OpenCLFunction("clEnqueueMarkerWithWaitList");

    private static readonly delegate* unmanaged<nint, uint, nint, void*, nint*, int> getInfo =
        (delegate* unmanaged<nint, uint, nint, void*, nint*, int>)Accelerators.OpenCLFunction("clGetEventInfo");

    private static readonly delegate* unmanaged<uint, nint*, int> waitFor =
        (delegate* unmanaged<uint, nint*, int>)Accelerators.OpenCLFunction("clWaitForEvents");

    private static readonly delegate* unmanaged<nint, int> release =
        (delegate* unmanaged<nint, int>)Accelerators.OpenCLFunction("clReleaseEvent");

    private nint handle;

    /// <summary>Whether the system's library has all that is needed.</summary>
    public static bool IsAvailable => enqueueMarker is not null && getInfo is not null && waitFor is not null && release is not null;

    /// <inheritdoc/>
    public override bool IsDone
    {
        get
        {
            if (handle == 0)
                return true;
            int status;
            ThrowIfFailed(getInfo(handle, ExecutionStatus, sizeof(int), &status, null));
            if (status > 0) // 0 is done; less is an error, which whoever waits for the device learns of
                return false;
            Release();
            return true;
        }
    }

    /// <inheritdoc/>
    public override void Record()
    {
        Release();
        nint made;
        ThrowIfFailed(enqueueMarker(((CLStream)device.Stream).CommandQueue, 0, null, &made));
        handle = made;
    }

    /// <inheritdoc/>
    public override void Wait()
    {
        if (handle == 0)
            return;
        device.Waits++;
        nint one = handle;
        ThrowIfFailed(waitFor(1, &one));
        Release();
    }

    /// <inheritdoc/>
    public override void Dispose() => Release();

    private void Release()
    {
        if (handle != 0)
            _ = release(handle);
        handle = 0;
    }

    private static void ThrowIfFailed(int error)
    {
        if (error != 0)
            throw new CLException((CLError)error);
    }
}
