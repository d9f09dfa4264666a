namespace Dino.Tensors.Kernels;

/// <summary>
/// One launch of an op, written once for every device: a small struct of the op's tensors and numbers, which <see cref="Device.Launch"/>
/// calls
/// with the types of its device.
/// </summary>
/// <example><code>
/// private readonly struct Forward(Tensor x, Tensor y) : ILaunch
/// {
///     void ILaunch.On&lt;T, TMemory, TRun&gt;(TRun run) =>
///         run.Rows(x.Shape.Rows, x.Shape.RowLength, new Body&lt;T, TMemory&gt;(x.Shape.RowLength, TMemory.Of(x), TMemory.Of(y)));
/// }
/// </code></example>
public interface ILaunch
{
    /// <summary>Makes the body for this kind of device and runs it; several bodies run one after the other.</summary>
    /// <typeparam name="T">The numbers of the device.</typeparam>
    /// <typeparam name="TMemory">Its memory: <c>TMemory.Of(tensor)</c> is what a body takes.</typeparam>
    /// <typeparam name="TRun">The way to run bodies on it.</typeparam>
    /// <param name="run">Runs bodies.</param>
    void On<T, TMemory, TRun>(TRun run)
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
        where TRun : struct, IRun;
}

/// <summary>Runs bodies on a device. Bodies start in the order of the calls; on an accelerator nothing waits for their end.</summary>
public interface IRun
{
    /// <summary>Runs a body over the elements 0 … n − 1.</summary>
    /// <param name="n">How many elements.</param>
    /// <param name="body">The work.</param>
    void Elements<TBody>(int n, in TBody body) where TBody : struct, IElementBody;

    /// <summary>Runs a body over the rows 0 … rows − 1.</summary>
    /// <param name="rows">How many rows.</param>
    /// <param name="length">Elements that the lanes of a row share out: decides how many lanes a row gets on an accelerator.</param>
    /// <param name="body">The work.</param>
    /// <param name="work">Elements that a row goes through in all, if more than <paramref name="length"/>: decides how many rows a core
    /// takes at a time.</param>
    void Rows<TBody>(int rows, int length, in TBody body, int work = 0) where TBody : struct, IRowBody;
}

/// <summary>The host's cores.</summary>
internal readonly struct HostRun(Device device) : IRun
{
    public void Elements<TBody>(int n, in TBody body) where TBody : struct, IElementBody => ElementLoop<TBody>.OnHost(device, n, body);

    public void Rows<TBody>(int rows, int length, in TBody body, int work = 0) where TBody : struct, IRowBody =>
        RowLoop<TBody>.OnHost(device, rows, Math.Max(length, work), body);
}

/// <summary>An accelerator's threads.</summary>
internal readonly struct AcceleratorRun(Device device) : IRun
{
    public void Elements<TBody>(int n, in TBody body)
        where TBody : struct, IElementBody => ElementLoop<TBody>.OnAccelerator(device, n, body);

    public void Rows<TBody>(int rows, int length, in TBody body, int work = 0) where TBody : struct, IRowBody =>
        RowLoop<TBody>.OnAccelerator(device, rows, length, body);
}
