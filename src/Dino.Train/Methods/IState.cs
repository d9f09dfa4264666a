using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Optim;

namespace Dino.Train.Methods;

/// <summary>
/// A part of what a checkpoint holds, under a name. A tensor of it is called <c>name.tensor</c> in the file; one without a name of its own
/// is called as the part.
/// </summary>
public interface IState
{
    /// <summary>The name of the part, without a dot at its end.</summary>
    string Name { get; }

    /// <summary>Its tensors in the host's memory; waits for the device.</summary>
    IReadOnlyList<HostTensor> Save();

    /// <summary>Goes on from what <see cref="Save"/> gave.</summary>
    /// <exception cref="InvalidDataException">They are the tensors of something else; the message says of what.</exception>
    void Load(IReadOnlyList<HostTensor> tensors);
}

/// <summary>The parts that most methods have.</summary>
public static class SavedState
{
    /// <summary>All parameters and buffers of a network.</summary>
    public static IState Of(string name, FlatParameters parameters) => new Part(name, parameters.Save, parameters.Load);

    /// <summary>The moments of an optimizer.</summary>
    public static IState Of(string name, Optimizer optimizer) => new Part(name, optimizer.Save, optimizer.Load);

    /// <summary>One tensor of floats, such as a queue.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="tensor">What is saved and loaded.</param>
    /// <param name="shape">The shape that it has in the file; null for its own.</param>
    public static IState Of(string name, Tensor tensor, Shape? shape = null) => new Part(
        name,
        () => [new HostTensor("", shape ?? tensor.Shape, tensor.ToArray())],
        tensors =>
        {
            if (tensors is not [{ Name: "" } one])
                throw new InvalidDataException($"There is no tensor '{name}'.");
            if (one.Values.Length != tensor.Count)
                throw new InvalidDataException($"The tensor '{name}' is {one.Shape}, and {shape ?? tensor.Shape} is needed.");
            tensor.CopyFrom(one.Values);
        });

    /// <summary>Numbers that the host keeps, such as the place in a queue.</summary>
    /// <param name="name">Their name in the file.</param>
    /// <param name="get">Gives them: whole numbers up to 2²⁴, or those of single precision.</param>
    /// <param name="set">Takes as many back.</param>
    public static IState Of(string name, Func<float[]> get, Action<float[]> set) => new Part(
        name,
        () => get() is var values ? [new HostTensor("", new Shape(values.Length), values)] : [],
        tensors =>
        {
            if (tensors is not [{ Name: "" } one] || one.Values.Length != get().Length)
                throw new InvalidDataException($"There are not the {get().Length} numbers '{name}'.");
            set(one.Values);
        });

    private sealed class Part(string name, Func<IReadOnlyList<HostTensor>> save, Action<IReadOnlyList<HostTensor>> load) : IState
    {
        public string Name => name;

        public IReadOnlyList<HostTensor> Save() => save();

        public void Load(IReadOnlyList<HostTensor> tensors) => load(tensors);
    }
}
