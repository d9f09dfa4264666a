namespace Dino.Tensors;

/// <summary>A device has not the memory that was asked for. Nothing else is lost: tensors keep their numbers.</summary>
public sealed class DeviceMemoryException : Exception
{
    /// <summary>An exception without a message.</summary>
    public DeviceMemoryException() { }

    /// <summary>Says what was asked for and what there was.</summary>
    public DeviceMemoryException(string message) : base(message) { }

    /// <summary>Says what was asked for and what there was, and what the driver said.</summary>
    public DeviceMemoryException(string message, Exception inner) : base(message, inner) { }

    internal DeviceMemoryException(Device device, long requested, Exception? inner) : base(Describe(device, requested), inner) =>
        (RequestedBytes, UsedBytes, DeviceBytes) = (requested, device.Pool.UsedBytes, device.MemoryBytes);

    /// <summary>Bytes that were asked for.</summary>
    public long RequestedBytes { get; }

    /// <summary>Bytes that tensors of this process held then.</summary>
    public long UsedBytes { get; }

    /// <summary>Bytes that the device has, or that this process may use of it.</summary>
    public long DeviceBytes { get; }

    private static string Describe(Device device, long requested) =>
        $"Device {device.Name} could not provide {Size(requested)}: {Size(device.Pool.UsedBytes)} of {Size(device.MemoryBytes)} are in "
            + $"use here"
        + (device.FreeBytes is { } free ? $", and the driver has {Size(free)} left for all programs." : ".");

    private static string Size(long bytes) =>
        bytes >= 10 << 20 ? $"{bytes >> 20} MiB" : FormattableString.Invariant($"{bytes / 1024.0:F0} KiB");
}
