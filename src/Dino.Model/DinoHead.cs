using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;

namespace Dino.Model;

/// <summary>The sizes and options of a <see cref="DinoHead"/>.</summary>
public sealed record DinoHeadConfig
{
    /// <summary>The most layers that a head can have: published ones have 2 to 4.</summary>
    public const int MostLayers = 32;

    /// <summary>K, the number of prototypes.</summary>
    public int OutDim { get; init; } = 65536;

    /// <summary>Layers of the MLP before the normalisation.</summary>
    public int Layers { get; init; } = 3;

    /// <summary>The width between them.</summary>
    public int HiddenDim { get; init; } = 2048;

    /// <summary>The width of what is normalised.</summary>
    public int BottleneckDim { get; init; } = 256;

    /// <summary>Batch normalisation after every hidden layer.</summary>
    public bool UseBatchNorm { get; init; }

    /// <summary>Keeps the prototypes' lengths <c>weight_g</c> as they are, at 1 unless loaded otherwise.</summary>
    public bool NormLastLayer { get; init; } = true;

    /// <summary>Checks that the sizes can make a head.</summary>
    /// <exception cref="ArgumentException">One cannot; the message says which.</exception>
    public void Validate()
    {
        if (OutDim < 2)
            throw new ArgumentException($"A head needs at least 2 prototypes (out_dim), not {OutDim}.");
        if (Layers > MostLayers)
            throw new ArgumentException($"A head has at most {MostLayers} layers, not {Layers} (`Layers`).");
        if (Layers < 1 || HiddenDim < 1 || BottleneckDim < 1)
            throw new ArgumentException($"A head needs positive sizes, not {Layers} layers of {HiddenDim} and a bottleneck of "
                + $"{BottleneckDim}.");
    }
}

/// <summary>
/// The projection head: an MLP with GELU, L2 normalisation, and a weight-normalised layer of K prototypes without bias (DINO, appendix C).
/// </summary>
public sealed class DinoHead : Module
{
    private readonly Linear[] layers;
    private readonly BatchNorm[] norms;
    private readonly Parameter prototypes, lengths;

    /// <summary>Declares a head for features of width <paramref name="inputDim"/>.</summary>
    public DinoHead(int inputDim, DinoHeadConfig config)
    {
        config.Validate();
        Config = config;
        layers = new Linear[config.Layers];
        norms = new BatchNorm[config.UseBatchNorm ? config.Layers - 1 : 0];
        // Numbers as in the reference's Sequential: linear, [batch norm,] GELU, …; a single layer is not in a Sequential.
        int place = 0;
        for (int i = 0; i < layers.Length; i++)
        {
            bool last = i == layers.Length - 1;
            string name = layers.Length == 1 ? "mlp" : $"mlp.{place++}";
            layers[i] = Register(name, new Linear(
                i == 0 ? inputDim : config.HiddenDim, last ? config.BottleneckDim : config.HiddenDim, init: Init.TruncatedNormal(0.02f)));
            if (last)
                break;
            if (config.UseBatchNorm)
                norms[i] = Register($"mlp.{place++}", new BatchNorm(config.HiddenDim));
            place++; // the GELU
        }
        // As torch makes a linear layer: the reference initialises the others and leaves this one.
        lengths = Register("last_layer.weight_g", new Shape(config.OutDim, 1), Init.Ones, frozen: config.NormLastLayer);
        prototypes = Register(
            "last_layer.weight_v", new Shape(config.OutDim, config.BottleneckDim), Init.Uniform(1 / MathF.Sqrt(config.BottleneckDim)));
    }

    /// <summary>The prototypes and their lengths, which training may leave as they are at first.</summary>
    public IReadOnlyList<Parameter> LastLayer => [lengths, prototypes];

    /// <summary>Its sizes.</summary>
    public DinoHeadConfig Config { get; }

    /// <summary>Logits: x (rows, D) → (rows, K).</summary>
    public Tensor Forward(Tensor x, in Pass pass)
    {
        using var scope = x.Device.BeginArena();
        for (int i = 0; i < layers.Length; i++)
        {
            x = layers[i].Forward(x);
            if (i == layers.Length - 1)
                break;
            if (norms.Length > 0)
                x = norms[i].Forward(x, pass.Training, pass.Ranks);
            x = x.Gelu();
        }
        return scope.Keep(x.L2Normalize().WeightNormLinear(prototypes.Value, lengths.Value));
    }
}
