using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;

namespace Dino.Model;

/// <summary>
/// The Vision Transformer of DINO: pre-norm blocks, a class token, no classifier; with parts of DINOv2 and DINOv3 where
/// <see cref="ViTConfig"/> says so.
/// Parameter names are those of the official checkpoints.
/// </summary>
/// <remarks>
/// Shapes: B images, K = 1 + registers, N = K + patches tokens, D width, H heads. Pictures may have any size of at least one patch.
/// </remarks>
public sealed class VisionTransformer : Backbone, IAttentive
{
    private static readonly Init firstWeights = Init.TruncatedNormal(0.02f); // of every linear map

    private readonly Parameter cls;
    private readonly Parameter? positions, registers;
    private readonly PatchEmbed patchEmbed;
    private readonly RotaryPositions? rotary;
    private readonly Block[] blocks;
    private readonly LayerNorm norm;
    private readonly LayerNorm? clsNorm;

    /// <summary>Declares the network; <see cref="FlatParameters"/> gives it memory and first values.</summary>
    public VisionTransformer(ViTConfig config)
    {
        config.Validate();
        Config = config;
        cls = Register("cls_token", new Shape(1, 1, config.Dim), Init.TruncatedNormal(0.02f));
        if (!config.Rotary)
            positions = Register("pos_embed", new Shape(1, 1 + config.Side * config.Side, config.Dim), Init.TruncatedNormal(0.02f));
        if (config.Registers > 0)
            registers = Register("register_tokens", new Shape(1, config.Registers, config.Dim), Init.TruncatedNormal(0.02f));
        patchEmbed = Register("patch_embed", new PatchEmbed(config));
        if (config.Rotary)
            rotary = Register("rope_embed", new RotaryPositions(config));
        blocks = new Block[config.Depth];
        for (int i = 0; i < blocks.Length; i++)
            blocks[i] = Register($"blocks.{i}", new Block(config, i, rotary));
        norm = Register("norm", new LayerNorm(config.Dim, config.NormEps));
        if (config.UntiedNorms)
            clsNorm = Register("cls_norm", new LayerNorm(config.Dim, config.NormEps));
    }

    /// <summary>The sizes.</summary>
    public ViTConfig Config { get; }

    /// <inheritdoc/>
    public override int Width => Config.Dim;

    /// <summary>One patch, in pixels.</summary>
    public override int SmallestSize => Config.Patch;

    /// <inheritdoc/>
    public override int Channels => Config.Channels;

    /// <inheritdoc/>
    public override string Architecture => Config.ToString();

    /// <inheritdoc/>
    public override string OutputName => "class token of the last block";

    /// <inheritdoc/>
    public int Patch => Config.Patch;

    /// <inheritdoc/>
    public int Heads => Config.Heads;

    /// <inheritdoc/>
    public int Blocks => blocks.Length;

    /// <summary>The class token after the last block and the final norm: images (B, C, height, width) → (B, D).</summary>
    public override Tensor Forward(Tensor images, in Pass pass)
    {
        using var scope = images.Device.BeginArena();
        var x = Tokens(images); // (B, N, D)
        foreach (var block in blocks)
            Advance(ref x, block, pass, GridOf(images));
        return scope.Keep((clsNorm ?? norm).Forward(FirstToken(x))); // the norm works token by token: one is enough
    }

    /// <inheritdoc/>
    public override long ForwardBytes(int images, int height, int width) => Config.ForwardBytes(images, height, width);

    /// <inheritdoc/>
    public Tensor[] IntermediateLayers(Tensor images, int n)
    {
        if (n < 1 || n > blocks.Length)
            throw new ArgumentOutOfRangeException(nameof(n), $"A network of {blocks.Length} blocks has no last {n}.");
        using var scope = images.Device.BeginArena();
        var layers = new Tensor[n];
        var x = Tokens(images);
        for (int i = 0; i < blocks.Length; i++)
        {
            Advance(ref x, blocks[i], Pass.Evaluation, GridOf(images));
            if (i >= blocks.Length - n)
                layers[i - (blocks.Length - n)] = scope.Keep(Norm(x));
        }
        return layers;
    }

    /// <inheritdoc/>
    public Tensor LastSelfAttention(Tensor images)
    {
        using var scope = images.Device.BeginArena();
        var x = Tokens(images);
        for (int i = 0; i < blocks.Length - 1; i++)
            Advance(ref x, blocks[i], Pass.Evaluation, GridOf(images));
        return scope.Keep(blocks[^1].AttentionWeights(x, GridOf(images)));
    }

    /// <summary>
    /// Where the class token of the last block looks: images (B, C, height, width) → (B, H, patches), the patches row by row. It is the
    /// class
    /// token's row of <see cref="LastSelfAttention"/>, without the tokens that are no patches, and in memory that grows with the patches
    /// alone.
    /// </summary>
    public Tensor FirstTokenAttention(Tensor images)
    {
        using var scope = images.Device.BeginArena();
        var x = Tokens(images);
        for (int i = 0; i < blocks.Length - 1; i++)
            Advance(ref x, blocks[i], Pass.Evaluation, GridOf(images));
        var row = blocks[^1].ClassAttention(x, GridOf(images)); // (B, H, N)
        return scope.Keep(row.Slice(2, Config.FirstPatch, row.Shape[2] - Config.FirstPatch));
    }

    /// <summary>(B, N, D) → (B, D): the class token of every image.</summary>
    public Tensor FirstToken(Tensor tokens) => tokens.Slice(1, 0, 1).Reshape(new Shape(tokens.Shape[0], tokens.Shape[2]));

    /// <summary>(B, N, D) → (B, patches, D): without class token and registers.</summary>
    public Tensor Patches(Tensor tokens) => tokens.Slice(1, Config.FirstPatch, tokens.Shape[1] - Config.FirstPatch);

    private (int Rows, int Columns) GridOf(Tensor images) => (images.Shape[2] / Config.Patch, images.Shape[3] / Config.Patch);

    private Tensor Tokens(Tensor images)
    {
        var patches = patchEmbed.Forward(images); // (B, N − K, D)
        var first = registers is null ? cls.Value : ConcatOp.Concat(1, cls.Value, registers.Value); // (1, K, D)
        return patches.WithClassToken(first, positions is null ? null : Positions(positions.Value, images));
    }

    /// <summary>The position embedding of pictures of such a size, (1, N, D); that of a register is 0.</summary>
    private Tensor Positions(Tensor table, Tensor images)
    {
        int height = images.Shape[2], width = images.Shape[3];
        var (rows, columns) = GridOf(images);
        // The training geometry uses the table as it is. 34×37 pixels may have the same grid and are still resampled, as in the reference.
        bool asTrained = height == width && rows * columns == Config.Side * Config.Side;
        if (!asTrained)
            table = table.ResizeGrid(rows, columns, Config.Resampling);
        if (registers is null)
            return table;
        return ConcatOp.Concat(1, table.Slice(1, 0, 1), Tensor.Zeros(table.Device, registers.Shape), table.Slice(1, 1, rows * columns));
    }

    private Tensor Norm(Tensor x) => clsNorm is null
        ? norm.Forward(x)
        : ConcatOp.Concat(
            1, clsNorm.Forward(x.Slice(1, 0, Config.FirstPatch)),
            norm.Forward(x.Slice(1, Config.FirstPatch, x.Shape[1] - Config.FirstPatch)));

    private static void Advance(ref Tensor x, Block block, in Pass pass, (int Rows, int Columns) grid)
    {
        Tensor next;
        using (var scope = x.Device.BeginArena())
            next = scope.Keep(pass.Recompute
                ? x.Recompute((block, pass, grid), static (x, part) => part.block.Forward(x, part.pass, part.grid))
                : block.Forward(x, pass, grid));
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
        private readonly Mlp mlp;
        private readonly LayerScale? scale1, scale2;
        private readonly float dropRate;
        private readonly int index;

        public Block(ViTConfig config, int index, RotaryPositions? rotary)
        {
            norm1 = Register("norm1", new LayerNorm(config.Dim, config.NormEps));
            attention = Register("attn", new SelfAttention(config, rotary));
            scale1 = config.LayerScale ? Register("ls1", new LayerScale(config.Dim)) : null;
            norm2 = Register("norm2", new LayerNorm(config.Dim, config.NormEps));
            mlp = Register<Mlp>("mlp", config.SwiGlu ? new GatedFeedForward(config) : new FeedForward(config));
            scale2 = config.LayerScale ? Register("ls2", new LayerScale(config.Dim)) : null;
            (this.index, dropRate) = (index, config.DropPathOf(index));
        }

        /// <summary>x (B, N, D) + γ₁ · attention, then + γ₂ · feed-forward; each branch may be dropped for a sample.</summary>
        public Tensor Forward(Tensor x, in Pass pass, (int Rows, int Columns) grid)
        {
            Tensor? keep1 = pass.Depth?.Keep(x.Device, index, 0, x.Shape[0], dropRate, pass.Ranks);
            Tensor? keep2 = pass.Depth?.Keep(x.Device, index, 1, x.Shape[0], dropRate, pass.Ranks);
            // Without γ the sum is part of the branch's last product.
            x = scale1 is null
                ? attention.Forward(norm1.Forward(x), grid, x, keep1)
                : x.AddBranch(scale1.Forward(attention.Forward(norm1.Forward(x), grid, null, null)), keep1);
            return scale2 is null
                ? mlp.Forward(norm2.Forward(x), x, keep2)
                : x.AddBranch(scale2.Forward(mlp.Forward(norm2.Forward(x), null, null)), keep2);
        }

        public Tensor AttentionWeights(Tensor x, (int Rows, int Columns) grid) => attention.Weights(norm1.Forward(x), grid);

        public Tensor ClassAttention(Tensor x, (int Rows, int Columns) grid) => attention.ClassRow(norm1.Forward(x), grid);
    }

    private sealed class SelfAttention : Module
    {
        private readonly Linear qkv, projection;
        private readonly RotaryPositions? rotary;
        private readonly int heads;

        public SelfAttention(ViTConfig config, RotaryPositions? rotary)
        {
            (heads, this.rotary) = (config.Heads, rotary);
            qkv = Register("qkv", new Linear(config.Dim, 3 * config.Dim, config.QkvBias, firstWeights));
            projection = Register("proj", new Linear(config.Dim, config.Dim, init: firstWeights));
        }

        /// <summary>The attention of x (B, N, D), added to a residual if there is one.</summary>
        public Tensor Forward(Tensor x, (int Rows, int Columns) grid, Tensor? residual, Tensor? keep)
        {
            x = Projected(x, grid).Attention(heads);
            return residual is null
                ? projection.Forward(x)
                : x.Linear(projection.Weight.Value, projection.Bias!.Value, residual, keep);
        }

        public Tensor Weights(Tensor x, (int Rows, int Columns) grid) => Projected(x, grid).AttentionWeights(heads);

        public Tensor ClassRow(Tensor x, (int Rows, int Columns) grid) => Projected(x, grid).FirstTokenAttention(heads);

        /// <summary>Queries, keys and values (B, N, 3·D), turned by the places of their patches if the positions are rotary.</summary>
        private Tensor Projected(Tensor x, (int Rows, int Columns) grid) =>
            rotary is null ? qkv.Forward(x) : rotary.Forward(qkv.Forward(x), grid);
    }

    /// <summary>The turns of DINOv3's queries and keys; <c>periods</c> (D/H/4) are 100^(i / count) and no parameter.</summary>
    private sealed class RotaryPositions : Module
    {
        private readonly ModuleBuffer periods;
        private readonly int heads;

        public RotaryPositions(ViTConfig config)
        {
            heads = config.Heads;
            periods = RegisterBuffer("periods", new Shape(config.Dim / config.Heads / 4), Init.Powers(100));
        }

        public Tensor Forward(Tensor x, (int Rows, int Columns) grid) => x.Rotary(periods.Value, heads, grid.Rows, grid.Columns);
    }

    /// <summary>γ ∘ x with a trained γ (D) that begins near 0.</summary>
    private sealed class LayerScale : Module
    {
        private readonly Parameter gamma;

        public LayerScale(int dim) => gamma = Register("gamma", new Shape(dim), Init.Constant(1e-5f));

        public Tensor Forward(Tensor x) => x.Multiply(gamma.Value);
    }

    private abstract class Mlp : Module
    {
        /// <summary>x (B, N, D) → (B, N, D), added to a residual if there is one.</summary>
        public abstract Tensor Forward(Tensor x, Tensor? residual, Tensor? keep);
    }

    private sealed class FeedForward : Mlp
    {
        private readonly Linear fc1, fc2;

        public FeedForward(ViTConfig config)
        {
            fc1 = Register("fc1", new Linear(config.Dim, config.Hidden, init: firstWeights));
            fc2 = Register("fc2", new Linear(config.Hidden, config.Dim, init: firstWeights));
        }

        public override Tensor Forward(Tensor x, Tensor? residual, Tensor? keep) =>
            x.FeedForward(fc1.Weight.Value, fc1.Bias!.Value, fc2.Weight.Value, fc2.Bias!.Value, residual, keep);
    }

    /// <summary>w₃ (SiLU(w₁ x) ∘ w₂ x); w₁ and w₂ are one map, as in DINOv2.</summary>
    private sealed class GatedFeedForward : Mlp
    {
        private readonly Linear w12, w3;

        public GatedFeedForward(ViTConfig config)
        {
            w12 = Register("w12", new Linear(config.Dim, 2 * config.Hidden, init: firstWeights));
            w3 = Register("w3", new Linear(config.Hidden, config.Dim, init: firstWeights));
        }

        public override Tensor Forward(Tensor x, Tensor? residual, Tensor? keep)
        {
            x = w12.Forward(x).SwiGlu();
            return residual is null ? w3.Forward(x) : x.Linear(w3.Weight.Value, w3.Bias!.Value, residual, keep);
        }
    }
}
