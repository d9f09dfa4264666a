namespace Dino.Model.Weights;

/// <summary>Tensors of a file that are one of the network: query, key and value, gate and value of SwiGLU, a bias and its mask.</summary>
/// <param name="shapeOf">The shape of a tensor of the file.</param>
internal sealed class WeightPieces(Func<string, IReadOnlyList<long>> shapeOf)
{
    private readonly Dictionary<string, string?[]> pieces = [];

    /// <summary>Whether some query and value have a bias and their key has none, or one that is masked.</summary>
    public bool IsKeyBiasLeftOut { get; private set; }

    /// <summary>Notes which piece of which tensor a name is.</summary>
    /// <returns>False if there was another name for it.</returns>
    public bool Add(string official, int piece, string name)
    {
        if (!pieces.TryGetValue(official, out string?[]? names))
            pieces.Add(official, names = new string?[official.Contains(".mlp.w12.", StringComparison.Ordinal) ? 2 : 3]);
        if (names[piece] is not null)
            return false;
        names[piece] = name;
        return true;
    }

    /// <summary>Puts the tensors together that are whole now.</summary>
    /// <returns>The names of those that are not, or whose shapes differ.</returns>
    public IReadOnlyList<string> JoinInto(Dictionary<string, WeightSource> backbone)
    {
        var left = new List<string>();
        TakeValuesOfGates(backbone);
        UnpackGates(backbone);
        foreach (var (official, names) in pieces)
        {
            string[] there = [.. names.OfType<string>()];
            var shape = shapeOf(there[0]);
            bool isKeyLeftOut = names is [not null, null, not null] && official.EndsWith(".qkv.bias", StringComparison.Ordinal);
            bool fits = (isKeyLeftOut || there.Length == names.Length) && shape.Count > 0
                && there.All(name => shapeOf(name).SequenceEqual(shape));
            var source = new WeightSource(there,
                [names.Length * (shape is [var first, ..] ? first : 0), .. shape.Skip(1)])
            { Join = isKeyLeftOut ? AroundZeros : null };
            if (!fits || !backbone.TryAdd(official, source))
                left.AddRange(there);
            IsKeyBiasLeftOut |= fits && isKeyLeftOut;
        }
        MaskBiases(backbone);
        return left;
    }

    // What stands under the names of an ungated MLP is value and output where there is a gate.
    private void TakeValuesOfGates(Dictionary<string, WeightSource> backbone)
    {
        foreach (var (official, names) in pieces)
        {
            string value = official.Replace("mlp.w12", "mlp.fc1", StringComparison.Ordinal),
                output = official.Replace("mlp.w12", "mlp.fc2", StringComparison.Ordinal);
            if (names is not [not null, null])
                continue;
            if (backbone.Remove(value, out var source))
                names[1] = source.Names[0];
            if (backbone.Remove(output, out source))
                backbone.TryAdd(official.Replace("mlp.w12", "mlp.w3", StringComparison.Ordinal), source);
        }
    }

    // timm has gate and value of SwiGLU under the names of an ungated MLP, whose output then takes half of what comes out before it.
    private static void UnpackGates(Dictionary<string, WeightSource> backbone)
    {
        foreach (string first in backbone.Keys.Where(name => name.EndsWith(".mlp.fc1.weight", StringComparison.Ordinal)).ToArray())
        {
            string mlp = first[..^"fc1.weight".Length];
            if (backbone[first].Shape is not [var both, _] || !backbone.TryGetValue(mlp + "fc2.weight", out var second)
                || second.Shape is not [_, var half] || both != 2 * half)
                continue;
            foreach (string leaf in (string[])["weight", "bias"])
            {
                if (backbone.Remove($"{mlp}fc1.{leaf}", out var source))
                    backbone.TryAdd($"{mlp}w12.{leaf}", source);
                if (backbone.Remove($"{mlp}fc2.{leaf}", out source))
                    backbone.TryAdd($"{mlp}w3.{leaf}", source);
            }
        }
    }

    private void MaskBiases(Dictionary<string, WeightSource> backbone)
    {
        foreach (string mask in backbone.Keys.Where(name => name.EndsWith("_mask", StringComparison.Ordinal)).ToArray())
        {
            string bias = mask[..^"_mask".Length];
            if (!backbone.TryGetValue(bias, out var source) || !source.Shape.SequenceEqual(backbone[mask].Shape))
                continue;
            backbone[bias] = new WeightSource([.. source.Names, .. backbone[mask].Names], source.Shape) { Join = Product };
            backbone.Remove(mask);
            IsKeyBiasLeftOut = true;
        }
    }

    private static float[] AroundZeros(IReadOnlyList<float[]> parts) => [.. parts[0], .. new float[parts[0].Length], .. parts[1]];

    private static float[] Product(IReadOnlyList<float[]> parts) => [.. parts[0].Zip(parts[1], (value, factor) => value * factor)];
}
