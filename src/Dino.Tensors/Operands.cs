using System.Runtime.CompilerServices;

namespace Dino.Tensors;

/// <summary>
/// What every op asks of its operands before it looks at their shapes: that they are there, hold floats, have not ended, and are all on one
/// device.
/// </summary>
internal static class Operands
{
    /// <summary>Checks the operands of an op; those that are null it does without.</summary>
    /// <returns>The device of them all.</returns>
    /// <exception cref="ArgumentException">One is on another device, or holds no floats; both are named.</exception>
    /// <exception cref="ObjectDisposedException">One has ended.</exception>
    public static Device Check(
        Tensor x, Tensor? second = null, Tensor? third = null, Tensor? fourth = null, Tensor? fifth = null, Tensor? sixth = null,
        Tensor? seventh = null, [CallerMemberName] string op = "")
    {
        ArgumentNullException.ThrowIfNull(x);
        x.ThrowIfEnded();
        x.ThrowIfNot(DType.Float32);
        x.Device.Claim.Check();
        With(x, second, op);
        With(x, third, op);
        With(x, fourth, op);
        With(x, fifth, op);
        With(x, sixth, op);
        With(x, seventh, op);
        return x.Device;
    }

    /// <summary>Checks one more operand against the first.</summary>
    public static void With(Tensor x, Tensor? other, string op, DType type = DType.Float32)
    {
        if (other is null)
            return;
        if (other.Device != x.Device)
            throw new ArgumentException(
                $"{op}: {x} and {other} are on different devices{(x.Device.Name == other.Device.Name ? " (two of the same name)" : "")}. "
                + "Copy one over: Tensor.From(device, tensor.ToArray(), tensor.Shape).");
        other.ThrowIfEnded();
        other.ThrowIfNot(type);
    }
}
