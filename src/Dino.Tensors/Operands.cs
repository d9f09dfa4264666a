using System.Runtime.CompilerServices;

namespace Dino.Tensors;

/// <summary>
/// What every op asks of its operands before it looks at their shapes: that they are there, hold floats, have not ended, and are all on one
/// device.
/// </summary>
public static class Operands
{
    /// <summary>Checks the operands of an op, all of which it needs; <see cref="With"/> is for those that it can do without.</summary>
    /// <returns>The device of them all.</returns>
    /// <exception cref="ArgumentNullException">One is not there; its name is the expression that the op gives here.</exception>
    /// <exception cref="ArgumentException">One is on another device, or holds no floats; both are named.</exception>
    /// <exception cref="ObjectDisposedException">One has ended.</exception>
    public static Device Check(
        Tensor x, Tensor? second = null, Tensor? third = null, Tensor? fourth = null, Tensor? fifth = null,
        [CallerMemberName] string op = "", [CallerArgumentExpression(nameof(x))] string? xName = null,
        [CallerArgumentExpression(nameof(second))] string? secondName = null,
            [CallerArgumentExpression(nameof(third))] string? thirdName = null,
            [CallerArgumentExpression(nameof(fourth))] string? fourthName = null,
        [CallerArgumentExpression(nameof(fifth))] string? fifthName = null)
    {
        ArgumentNullException.ThrowIfNull(x, xName);
        x.ThrowIfEnded();
        x.ThrowIfNot(DType.Float32);
        x.Device.Claim.Check();
        Needed(x, second, secondName, op);
        Needed(x, third, thirdName, op);
        Needed(x, fourth, fourthName, op);
        Needed(x, fifth, fifthName, op);
        return x.Device;
    }

    /// <summary>Checks one more operand against the first, if it is there; it may be of another type.</summary>
    /// <exception cref="ArgumentException">It is on another device, or of another type.</exception>
    /// <exception cref="ObjectDisposedException">It has ended.</exception>
    public static void With(Tensor x, Tensor? other, string op, DType type = DType.Float32)
    {
        if (other is null)
            return;
        if (other.Device != x.Device)
            throw new ArgumentException(
                $"{op}: {x.Summary} and {other.Summary} are on different "
                    + $"devices{(x.Device.Name == other.Device.Name ? " (two of the same name)" : "")}. "
                + "Copy one over: tensor.To(device).");
        other.ThrowIfEnded();
        other.ThrowIfNot(type);
    }

    /// <summary>
    /// Checks the operands of an op of two, and makes them fit as in NumPy: counted from the last dimension, sizes are equal, or one of
    /// them is 1
    /// or missing and serves all. Then x has the shape of the result, and y the same or its trailing dimensions, which
    /// <see cref="Kernels.Binary{TFunction}"/> takes as they are; what fits in no such way is copied to the whole shape, so that a gradient
    /// finds its way back.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Broadcast(ref Tensor x, ref Tensor y, [CallerMemberName] string op = "")
    {
        Check(x, y, op: op);
        if (x.Shape.EndsWith(y.Shape))
            return;
        if (!Shape.TryBroadcast(x.Shape, y.Shape, out var shape))
            throw new ArgumentException($"{op}: {x.Shape} and {y.Shape} do not fit: from the last on, sizes must be equal, or one of "
                + $"them 1.");
        x = Ops.ExpandOp.To(x, shape);
        if (!shape.EndsWith(y.Shape))
            y = Ops.ExpandOp.To(y, shape);
    }

    /// <param name="x">The first operand.</param>
    /// <param name="other">One more.</param>
    /// <param name="name">Its name in the op, or null if the op gave none.</param>
    /// <param name="op">The op's name.</param>
    private static void Needed(Tensor x, Tensor? other, string? name, string op)
    {
        if (name is not null)
            ArgumentNullException.ThrowIfNull(other, name);
        With(x, other, op);
    }
}
