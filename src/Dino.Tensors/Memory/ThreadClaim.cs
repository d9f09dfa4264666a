namespace Dino.Tensors.Memory;

/// <summary>
/// The one thread that may use a device now. Whoever begins an arena, a recording, a launch or a copy claims the device for as long as
/// that takes; another thread that comes meanwhile gets an exception at once, instead of wrong sums later.
/// </summary>
/// <remarks>The thread that has the claim pays a comparison; atomic instructions are for the outermost claim alone.</remarks>
internal sealed class ThreadClaim(string name)
{
    private Thread? owner;
    private int depth; // touched by the owner alone

    /// <summary>Claims the device, once more if this thread has it already.</summary>
    /// <exception cref="InvalidOperationException">Another thread has it.</exception>
    public void Enter()
    {
        var me = Thread.CurrentThread;
        if (owner != me)
            Take(me);
        depth++;
    }

    /// <summary>Gives back what <see cref="Enter"/> took.</summary>
    public void Leave()
    {
        if (--depth == 0)
            Volatile.Write(ref owner, null);
    }

    /// <summary>Throws if another thread has the device.</summary>
    public void Check()
    {
        if (owner is { } other && other != Thread.CurrentThread && other.IsAlive)
            Throw(other);
    }

    private void Take(Thread me)
    {
        var other = Interlocked.CompareExchange(ref owner, me, null);
        if (other is null)
            return;
        // A thread that ended with an arena open leaves it to the next.
        if (other.IsAlive || Interlocked.CompareExchange(ref owner, me, other) != other)
            Throw(other);
    }

    private void Throw(Thread other) => throw new InvalidOperationException(
        $"Device {name} is in use by another thread ({other.Name ?? $"number {other.ManagedThreadId}"}). One thread at a time may use a "
            + $"device: "
        + "it belongs to whoever began an arena or a recording there, until that ends. Open a device for each thread, or pass numbers on "
        + "as arrays.");
}
