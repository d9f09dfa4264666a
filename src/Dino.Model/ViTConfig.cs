namespace Dino.Model;

/// <summary>The sizes of a Vision Transformer (Dosovitskiy et al. 2021; DINO, table 1).</summary>
public sealed record ViTConfig
{
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

    /// <summary>ε of every layer norm.</summary>
    public float NormEps { get; init; } = 1e-6f;

    /// <summary>Patches along the side of the training grid.</summary>
    public int Side => ImageSize / Patch;

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

    /// <summary>The reference's name for these sizes, as <see cref="Named"/> takes it; null for others.</summary>
    public string? ArchName() => (Dim, Depth, Heads) switch
    {
        (192, 12, 3) => "vit_tiny",
        (384, 12, 6) => "vit_small",
        (768, 12, 12) => "vit_base",
        _ => null,
    };

    /// <summary>The stochastic-depth rate of a block: linspace(0, rate, depth).</summary>
    public float DropPathOf(int block) => Depth > 1 ? (float)(DropPathRate * (double)block / (Depth - 1)) : 0;

    /// <summary>Checks that the sizes can make a network.</summary>
    /// <exception cref="ArgumentException">One cannot; the message says which.</exception>
    public void Validate()
    {
        if (Patch < 1 || Side < 1)
            throw new ArgumentException($"Pictures of {ImageSize} pixels have no whole patch of {Patch}.");
        if (Dim < 1 || Depth < 1 || Heads < 1 || Dim % Heads != 0)
            throw new ArgumentException($"A ViT needs depth ≥ 1 and a width that its heads divide, not width {Dim}, depth {Depth}, {Heads} heads.");
        if (DropPathRate is not (>= 0 and < 1))
            throw new ArgumentException($"The drop-path rate must lie in [0, 1), not at {DropPathRate}.");
    }
}
