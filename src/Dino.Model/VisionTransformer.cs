using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;

namespace Dino.Model;

/// <summary>
/// The Vision Transformer of DINO: pre-norm blocks, a class token, no classifier. Parameter names are those of the official checkpoints.
/// </summary>
/// <remarks>Shapes: B images, N = 1 + patches tokens, D width, H heads. Pictures may have any size of at least one patch.</remarks>
public sealed class VisionTransformer : Module
{
    private readonly Parameter cls, positions;
    private readonly PatchEmbed patchEmbed;
    private readonly Block[] blocks;
    private readonly LayerNorm norm;

    /// <summary>Declares the network; <see cref="FlatParameters"/> gives it memory and first values.</summary>
    public VisionTransformer(ViTConfig config)
    {
        config.Validate();
        Config = config;
        cls = Register("cls_token", new Shape(1, 1, config.Dim), Init.TruncatedNormal(0.02f));
        positions = Register("pos_embed", new Shape(1, 1 + config.Side * config.Side, config.Dim), Init.TruncatedNormal(0.02f));
        patchEmbed = Register("patch_embed", new PatchEmbed(config));
        blocks = new Block[config.Depth];
        for (int i = 0; i < blocks.Length; i++)
            blocks[i] = Register($"blocks.{i}", new Block(config, i));
        norm = Register("norm", new LayerNorm(config.Dim, config.NormEps));
    }

    /// <summary>The sizes.</summary>
    public ViTConfig Config { get; }

    /// <summary>
    /// Whether a block keeps only its input while a tape records, and is computed again in the backward pass: much less memory, the same
    /// gradients, for the time of another forward pass.
    /// </summary>
    public bool Recompute { get; set; }

    /// <summary>The class token after the last block and the final norm: images (B, C, height, width) → (B, D).</summary>
    public Tensor Forward(Tensor images, StochasticDepth? depth = null)
    {
        using var scope = images.Device.BeginArena();
        var x = Tokens(images); // (B, N, D)
        foreach (var block in blocks)
            Advance(ref x, block, depth);
        return scope.Keep(norm.Forward(ClassToken(x))); // the norm works token by token: one is enough
    }

    /// <summary>The outputs of the last <paramref name="n"/> blocks, each through the final norm, oldest first: n × (B, N, D).</summary>
    public Tensor[] IntermediateLayers(Tensor images, int n)
    {
        if (n < 1 || n > blocks.Length)
            throw new ArgumentOutOfRangeException(nameof(n), $"A network of {blocks.Length} blocks has no last {n}.");
        using var scope = images.Device.BeginArena();
        var layers = new Tensor[n];
        var x = Tokens(images);
        for (int i = 0; i < blocks.Length; i++)
        {
            Advance(ref x, blocks[i], null);
            if (i >= blocks.Length - n)
                layers[i - (blocks.Length - n)] = scope.Keep(norm.Forward(x));
        }
        return layers;
    }

    /// <summary>The attention weights of the last block: images (B, C, height, width) → (B, H, N, N).</summary>
    public Tensor LastSelfAttention(Tensor images)
    {
        using var scope = images.Device.BeginArena();
        var x = Tokens(images);
        for (int i = 0; i < blocks.Length - 1; i++)
            Advance(ref x, blocks[i], null);
        return scope.Keep(blocks[^1].AttentionWeights(x));
    }

    /// <summary>(B, N, D) → (B, D): the first token of every image.</summary>
    public static Tensor ClassToken(Tensor tokens) => tokens.Slice(1, 0, 1).Reshape(new Shape(tokens.Shape[0], tokens.Shape[2]));

    private Tensor Tokens(Tensor images)
    {
        int height = images.Shape[2], width = images.Shape[3];
        var patches = patchEmbed.Forward(images); // (B, N − 1, D)
        // The training geometry uses the table as it is. 34×37 pixels may have the same grid and are still resampled, as in the reference.
        bool asTrained = height == width && patches.Shape[1] == Config.Side * Config.Side;
        var table = asTrained ? positions.Value : positions.Value.ResizeGrid(height / Config.Patch, width / Config.Patch);
        return patches.WithClassToken(cls.Value, table);
    }

    private void Advance(ref Tensor x, Block block, StochasticDepth? depth)
    {
        Tensor next;
        using (var scope = x.Device.BeginArena())
            next = scope.Keep(Recompute ? x.Recompute((block, depth), static (x, part) => part.block.Forward(x, part.depth)) : block.Forward(x, depth));
        x.Dispose();
        x = next;
    }

    private sealed class PatchEmbed : Module
    {
        private readonly Parameter weight, bias;

        public PatchEmbed(ViTConfig config)
        {
            // A convolution as torch makes one: Kaiming-uniform with a = √5.
            float bound = 1 / MathF.Sqrt(config.Channels * config.Patch * config.Patch);
            weight = Register("proj.weight", new Shape(config.Dim, config.Channels, config.Patch, config.Patch), Init.Uniform(bound));
            bias = Register("proj.bias", new Shape(config.Dim), Init.Uniform(bound));
        }

        public Tensor Forward(Tensor images) => images.PatchEmbedding(weight.Value, bias.Value);
    }

    private sealed class Block : Module
    {
        private readonly LayerNorm norm1, norm2;
        private readonly SelfAttention attention;
        private readonly FeedForward mlp;
        private readonly float dropRate;
        private readonly int index;

        public Block(ViTConfig config, int index)
        {
            norm1 = Register("norm1", new LayerNorm(config.Dim, config.NormEps));
            attention = Register("attn", new SelfAttention(config));
            norm2 = Register("norm2", new LayerNorm(config.Dim, config.NormEps));
            mlp = Register("mlp", new FeedForward(config));
            (this.index, dropRate) = (index, config.DropPathOf(index));
        }

        /// <summary>x (B, N, D) + attention, then + feed-forward; each branch may be dropped for a sample.</summary>
        public Tensor Forward(Tensor x, StochasticDepth? depth)
        {
            int samples = x.Shape[0];
            x = attention.Forward(norm1.Forward(x), x, depth?.Keep(x.Device, index, 0, samples, dropRate));
            return mlp.Forward(norm2.Forward(x), x, depth?.Keep(x.Device, index, 1, samples, dropRate));
        }

        public Tensor AttentionWeights(Tensor x) => attention.Weights(norm1.Forward(x));
    }

    private sealed class SelfAttention : Module
    {
        private readonly Linear qkv, projection;
        private readonly int heads;

        public SelfAttention(ViTConfig config)
        {
            heads = config.Heads;
            qkv = Register("qkv", new Linear(config.Dim, 3 * config.Dim));
            projection = Register("proj", new Linear(config.Dim, config.Dim));
        }

        public Tensor Forward(Tensor x, Tensor residual, Tensor? keep) =>
            qkv.Forward(x).Attention(heads).Linear(projection.Weight.Value, projection.Bias!.Value, residual, keep);

        public Tensor Weights(Tensor x) => qkv.Forward(x).AttentionWeights(heads);
    }

    private sealed class FeedForward : Module
    {
        private readonly Linear fc1, fc2;

        public FeedForward(ViTConfig config)
        {
            int hidden = (int)(config.Dim * config.MlpRatio);
            fc1 = Register("fc1", new Linear(config.Dim, hidden));
            fc2 = Register("fc2", new Linear(hidden, config.Dim));
        }

        public Tensor Forward(Tensor x, Tensor residual, Tensor? keep) =>
            x.FeedForward(fc1.Weight.Value, fc1.Bias!.Value, fc2.Weight.Value, fc2.Bias!.Value, residual, keep);
    }
}
