using ILGPU.Runtime.Cuda;

namespace Dino.Tensors.Memory;

/// <summary>
/// A mark in the work of a device, at which one may look, and for which one may wait, without waiting for what comes after.
/// </summary>
internal abstract class StreamEvent : IDisposable
{
    /// <summary>
    /// One that was not set yet; null where every piece of work is done when its call returns: on the host and on simulated threads.
    /// </summary>
    public static StreamEvent? Of(Device device)
    {
        if (device.IsHost || device.IsSimulated)
            return null;
        if (device.Accelerator is CudaAccelerator)
            return new CudaEvent(device);
        return OpenCLEvent.IsAvailable ? new OpenCLEvent(device) : new Count(device);
    }

    /// <summary>Sets the mark behind all work so far.</summary>
    public abstract void Record();

    /// <summary>Whether the work before the mark is done; so it is if the mark was never set.</summary>
    public abstract bool IsDone { get; }

    /// <summary>Waits for it.</summary>
    public abstract void Wait();

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Of CUDA's driver. Made once and set again and again.</summary>
    private sealed class CudaEvent : StreamEvent
    {
        private readonly Device device;
        private readonly nint handle;
        private bool isSet;

        public CudaEvent(Device device)
        {
            this.device = device;
            using var binding = device.Accelerator!.BindScoped();
            ThrowIfFailed(CudaAPI.CurrentAPI.CreateEvent(out handle, CudaEventFlags.CU_EVENT_DISABLE_TIMING));
        }

        public override bool IsDone
        {
            get
            {
                if (!isSet)
                    return true;
                using var binding = device.Accelerator!.BindScoped();
                var answer = CudaAPI.CurrentAPI.QueryEvent(handle);
                if (answer == CudaError.CUDA_ERROR_NOT_READY)
                    return false;
                ThrowIfFailed(answer);
                isSet = false;
                return true;
            }
        }

        public override void Record()
        {
            using var binding = device.Accelerator!.BindScoped();
            ThrowIfFailed(CudaAPI.CurrentAPI.RecordEvent(handle, ((CudaStream)device.Stream).StreamPtr));
            isSet = true;
        }

        public override void Wait()
        {
            if (!isSet)
                return;
            device.Waits++;
            using var binding = device.Accelerator!.BindScoped();
            ThrowIfFailed(CudaAPI.CurrentAPI.SynchronizeEvent(handle));
            isSet = false;
        }

        public override void Dispose()
        {
            if (device.IsDisposed)
                return;
            using var binding = device.Accelerator!.BindScoped();
            _ = CudaAPI.CurrentAPI.DestroyEvent(handle);
        }

        private static void ThrowIfFailed(CudaError error)
        {
            if (error != CudaError.CUDA_SUCCESS)
                throw new CudaException(error);
        }
    }

    /// <summary>Without the device's help: its work is done once somebody has waited for all of it.</summary>
    private sealed class Count(Device device) : StreamEvent
    {
        private long waits = -1;

        public override bool IsDone => device.Waits > waits;

        public override void Record() => waits = device.Waits;

        public override void Wait() => device.Synchronize();

        public override void Dispose() { }
    }
}
