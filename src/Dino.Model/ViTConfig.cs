using System.Globalization;
using System.Text.Json.Serialization;
using Dino.Tensors.Ops;

namespace Dino.Model;

/// <summary>
/// The sizes of a Vision Transformer (Dosovitskiy et al. 2021; DINO, table 1), and which parts of DINOv2 and DINOv3 it has; by default
/// none.
/// </summary>
public sealed record ViTConfig : BackboneConfig
{
    /// <summary>The most blocks that a network can have: published ones have 12 to 40.</summary>
    public const int MostBlocks = 100_000;

    /// <summary>The square picture size, in pixels, whose patch grid the position embedding is made for.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Pixels along the side of a patch.</summary>
    public int Patch { get; init; } = 16;

    /// <summary>Colour channels.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>D, the width of a token.</summary>
    public int Dim { get; init; } = 384;

    /// <summary>The number of blocks.</summary>
    public int Depth { get; init; } = 12;

    /// <summary>H, the attention heads of a block; must divide D.</summary>
    public int Heads { get; init; } = 6;

    /// <summary>The hidden width of the feed-forward part, in units of D.</summary>
    public float MlpRatio { get; init; } = 4;

    /// <summary>The stochastic-depth rate of the last block; it grows linearly from 0 at the first.</summary>
    public float DropPathRate { get; init; }

    /// <summary>ε of every layer norm: 1e-6, in DINOv3 1e-5.</summary>
    public float NormEps { get; init; } = 1e-6f;

    /// <summary>
    /// Tokens between the class token and the patches that stand for no part of the picture (Darcet et al. 2024): 0, 4 in DINOv3.
    /// </summary>
    public int Registers { get; init; }

    /// <summary>Whether every residual branch is multiplied by a trained γ (D) (Touvron et al. 2021): DINOv2 and DINOv3.</summary>
    public bool LayerScale { get; init; }

    /// <summary>Whether the hidden layer of the feed-forward part is a gated one, SwiGLU, in place of GELU: the large networks.</summary>
    public bool SwiGlu { get; init; }

    /// <summary>
    /// Whether queries and keys are turned by the place of their patch (<see cref="RotaryOp"/>) in place of a position embedding: DINOv3.
    /// </summary>
    public bool Rotary { get; init; }

    /// <summary>Whether query, key and value have a bias.</summary>
    public bool QkvBias { get; init; } = true;

    /// <summary>Whether the key's part of that bias is more than 0; in DINOv3 it is not.</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>Whether class token and registers have a last norm of their own, <c>cls_norm</c>.</summary>
    public bool UntiedNorms { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override int InputChannels { get => Channels; init => Channels = value; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override int Width => Dim;

    /// <summary>One patch.</summary>
    [JsonIgnore]
    public override int SmallestSize => Patch;

    /// <summary>Patches along the side of the training grid.</summary>
    public int Side => ImageSize / Patch;

    /// <summary>The index of the first patch among the tokens: those before it are the class token and the registers.</summary>
    public int FirstPatch => 1 + Registers;

    /// <summary>The width of the hidden layer of the feed-forward part.</summary>
    public int Hidden => (int)(Dim * MlpRatio);

    /// <summary>
    /// The side of the square pictures whose features are to be taken where nothing else is said: that of training, in DINOv2 and DINOv3
    /// 224 as in their
    /// evaluations, though the last steps of DINOv2's training had 518.
    /// </summary>
    public int EvaluationSize => Family == ViTFamily.Dino || ImageSize <= 224 || Patch > 224 ? ImageSize : 224 / Patch * Patch;

    /// <summary>How the position embedding is resampled for other grids, as in training.</summary>
    public GridResampling Resampling => Registers > 0 ? GridResampling.Antialiased : GridResampling.Shifted;

    /// <summary>Whose parts these are.</summary>
    public ViTFamily Family => Rotary ? ViTFamily.DinoV3 : LayerScale || SwiGlu || Registers > 0 ? ViTFamily.DinoV2 : ViTFamily.Dino;

    /// <summary>ViT-Ti, ViT-S or ViT-B by the reference's name: <c>vit_tiny</c>, <c>vit_small</c>, <c>vit_base</c>.</summary>
    /// <exception cref="ArgumentException">There is no such architecture.</exception>
    public static ViTConfig Named(string arch, int patch = 16, int imageSize = 224)
    {
        var (dim, heads) = arch switch
        {
            "vit_tiny" => (192, 3),
            "vit_small" => (384, 6),
            "vit_base" => (768, 12),
            _ => throw new ArgumentException($"'{arch}' is not an architecture; there are vit_tiny, vit_small and vit_base.", nameof(arch)),
        };
        return new ViTConfig { ImageSize = imageSize, Patch = patch, Dim = dim, Depth = 12, Heads = heads };
    }

    /// <inheritdoc/>
    protected internal override IReadOnlyList<string> Archs() => ["vit_tiny", "vit_small", "vit_base"];

    /// <inheritdoc/>
    protected internal override BackboneConfig OfArch(string arch, BackboneConfig like) =>
        like is ViTConfig vit ? Named(arch, vit.Patch, vit.ImageSize) with { DropPathRate = vit.DropPathRate } : Named(arch);

    /// <inheritdoc/>
    public override BackboneConfig ForPictures(int size) => this with { ImageSize = size };

    /// <summary>The reference's name for these sizes; null for others. <see cref="Named"/> takes those of DINO.</summary>
    public override string? ArchName() => (Dim, Depth, Heads) switch
    {
        (192, 12, 3) => "vit_tiny",
        (384, 12, 6) => "vit_small",
        (768, 12, 12) => "vit_base",
        (1024, 24, 16) => "vit_large",
        (1280, 32, 20) => "vit_huge2",
        (1536, 40, 24) => "vit_giant2",
        (4096, 40, 32) => "vit_7b",
        _ => null,
    };

    /// <summary>The network in words: <c>DINOv2's vit_small, patches of 14, 4 registers</c>.</summary>
    public override string Describe()
    {
        string whose = Family switch { ViTFamily.DinoV2 => "DINOv2's ", ViTFamily.DinoV3 => "DINOv3's ", _ => "" };
        string what = ArchName() ?? $"{(whose.Length > 0 ? "" : "a ")}ViT of width {Dim}";
        return $"{whose}{what}, patches of {Patch}{(Registers > 0 ? $", {Registers} registers" : "")}";
    }

    /// <inheritdoc/>
    public override string FamilyName() => Family.ToString();

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, int Size)> Sizes() =>
    [
        ("patchSize", Patch), ("imageSize", ImageSize), ("embedDim", Dim), ("depth", Depth), ("channels", Channels), ("numHeads", Heads),
        ("registers", Registers),
    ];

    /// <inheritdoc/>
    public override string DescribeFully()
    {
        string pictures = Rotary ? "" : $" in pictures of {ImageSize} pixels";
        string channels = Channels == 3 ? "" : $", {Channels} channel{(Channels == 1 ? "" : "s")}";
        string parts = (LayerScale ? ", LayerScale" : "") + (SwiGlu ? ", SwiGLU" : "") + (Rotary ? ", rotary positions" : "");
        return string.Create(CultureInfo.InvariantCulture,
            $"{Describe()}{pictures}, width {Dim}, {Depth} blocks, {Heads} heads{channels}{parts}");
    }

    /// <summary>The stochastic-depth rate of a block: linspace(0, rate, depth).</summary>
    public float DropPathOf(int block) => Depth > 1 ? (float)(DropPathRate * (double)block / (Depth - 1)) : 0;

    /// <inheritdoc/>
    public override Backbone Build() => new VisionTransformer(this);

    /// <summary>About how many bytes a forward pass takes at its height, beside the weights: <see cref="Backbone.ForwardBytes"/>.</summary>
    internal long ForwardBytes(int images, int height, int width)
    {
        double patches = Math.Floor((double)height / Patch) * Math.Floor((double)width / Patch), tokens = images * (FirstPatch + patches);
        double pixels = (double)images * Channels * height * width, table = Rotary ? 0 : (1 + patches) * Dim;
        // First the patches' pixels are gathered and embedded. A block then holds its input, the norm of it, queries, keys and values, the
        // attention's result and its rows' sums, the sum, the norm of that, the hidden layer, and its own result; and what later networks
        // add.
        double widths = 9 + (LayerScale ? 4 : 0) + (Rotary ? 3 : 0), hidden = (SwiGlu ? 3.0 : 1) * Hidden;
        double embedding = pixels + tokens * Dim, block = tokens * (widths * Dim + hidden + Heads);
        return (long)Math.Min(long.MaxValue / 2, 4 * (pixels + table + Math.Max(embedding, block)));
    }

    /// <inheritdoc/>
    public override double ParameterCount()
    {
        // Counted with a grid of one patch: that of absurdly large pictures has no shape. And with one block: all have the same.
        double Count(int depth) => new VisionTransformer(this with { ImageSize = Patch, Depth = depth })
            .Parameters.Sum(parameter => (double)parameter.Shape.Count);
        return (double)Side * Side * Dim + Count(1) + (Depth - 1) * (Count(2) - Count(1));
    }

    /// <inheritdoc/>
    public override (double Kept, double AtWork) TrainingFloats(int size, bool recompute)
    {
        double patches = Math.Floor((double)size / Patch), tokens = FirstPatch + patches * patches;
        // A block keeps its input, qkv, the attention's result, the sum, and the MLP's hidden layer before GELU. While its backward pass
        // runs
        // there are besides the hidden layer after GELU, its gradient, and those of input and sum.
        // LayerScale keeps both branches before their γ, SwiGLU two hidden layers before the gate and one after.
        double hidden = SwiGlu ? 3 * MlpRatio : MlpRatio;
        double block = Dim * (6 + hidden + (LayerScale ? 2 : 0)), atWork = Dim * (4 + 2 * hidden + (LayerScale ? 2 : 0));
        return (tokens * (recompute ? Depth * Dim + block : Depth * block), tokens * atWork);
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        if (Channels < 1)
            throw new ArgumentException($"Pictures have at least 1 channel, not {Channels}.");
        if (Patch < 1 || Side < 1)
            throw new ArgumentException($"Pictures of {ImageSize} pixels have no whole patch of {Patch}.");
        if (Dim < 1 || Depth < 1 || Heads < 1 || Dim % Heads != 0)
            throw new ArgumentException($"A ViT needs depth ≥ 1 and a width that its heads divide, not width {Dim}, depth {Depth}, "
                + $"{Heads} heads.");
        if (Depth > MostBlocks)
            throw new ArgumentException($"A ViT of {Depth} blocks (`Depth`) is more than the {MostBlocks} that are possible.");
        if (!(MlpRatio > 0) || Dim * (double)MlpRatio is not (>= 1 and <= int.MaxValue))
            throw new ArgumentException($"A ViT of width {Dim} has no MLP of {MlpRatio} times that width.");
        foreach (var (what, elements) in ((string, double)[])
            [
                ("its attention", 3.0 * Dim * Dim), ("its MLP", (double)Dim * Hidden),
                    ("its patch embedding", (double)Dim * Channels * Patch * Patch),
                ("its position embedding", Rotary ? 0 : (1 + (double)Side * Side) * Dim),
            ])
            if (elements > int.MaxValue)
                throw new ArgumentException($"A ViT of width {Dim} (`Dim`) for patches of {Patch} in pictures of {ImageSize} pixels: "
                    + $"{what} would have more than the {int.MaxValue} weights that a tensor can hold.");
        if (Registers < 0)
            throw new ArgumentException($"A ViT has no {Registers} registers.");
        if (Rotary && Dim / Heads % 4 != 0)
            throw new ArgumentException($"Rotary positions need heads of a width that 4 divides, not of {Dim / Heads}.");
        if (DropPathRate is not (>= 0 and < 1))
            throw new ArgumentException(FormattableString.Invariant($"The drop-path rate must lie in [0, 1), not at {DropPathRate}."));
    }
}

/// <summary>The generations of DINO's backbones.</summary>
public enum ViTFamily
{
    /// <summary>The Vision Transformer as it was: Caron et al. 2021.</summary>
    Dino,

    /// <summary>With LayerScale, also with registers or SwiGLU: Oquab et al. 2023, Darcet et al. 2024.</summary>
    DinoV2,

    /// <summary>With rotary positions besides: Siméoni et al. 2025.</summary>
    DinoV3,
}
