using Dino.Tensors.Io;

namespace Dino.Tensors.Nn;

/// <summary>A named tensor in the host's memory, row-major: how weights and optimizer state go to and come from files.</summary>
/// <param name="Name">The full dotted name.</param>
/// <param name="Shape">The sizes.</param>
/// <param name="Values">As many numbers as the shape has elements.</param>
public sealed record HostTensor(string Name, Shape Shape, float[] Values)
{
    /// <summary>Reads a tensor of a file; its name here is the one in the file without <paramref name="prefix"/>.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, or it does not hold floats or has over four dimensions.</exception>
    public static HostTensor Read(WeightsFile file, string nameInFile, string prefix = "")
    {
        var sizes = file.Shape(nameInFile);
        if (sizes.Count > Shape.MaxRank || sizes.Any(size => size > int.MaxValue))
            throw new InvalidDataException($"The tensor '{nameInFile}' of ({string.Join(", ", sizes)}) has too many dimensions or "
                + $"elements.");
        string name = nameInFile.StartsWith(prefix, StringComparison.Ordinal) ? nameInFile[prefix.Length..] : nameInFile;
        return new HostTensor(name, Shape.Of([.. sizes.Select(size => (int)size)]), file.Floats(nameInFile));
    }

    /// <summary>What to write into a file, under <paramref name="prefix"/> and the name.</summary>
    public TensorEntry ToEntry(string prefix = "") => TensorEntry.Of(prefix + Name, Shape.ToArray(), Values);
}
