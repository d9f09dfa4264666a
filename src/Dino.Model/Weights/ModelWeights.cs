using System.Globalization;
using System.Text.Json;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;

namespace Dino.Model.Weights;

/// <summary>
/// A DINO network found in a weights file. The layout is recognised by the tensors' names: official or timm backbones, training checkpoints
/// of
/// many programs (<see cref="WeightNetwork"/>), Hugging Face's ViT.
/// </summary>
public sealed class ModelWeights
{
    /// <summary>The networks of a training checkpoint that can be asked for.</summary>
    public const string Teacher = "teacher", Student = "student";

    private readonly WeightsFile file;
    private readonly WeightNetwork network;
    private readonly Dictionary<string, WeightSource> backbone = [], head = [];
    private readonly List<string> unexpected = [], unexpectedInHead = [], foreign = [], aside = [];
    private readonly WeightPieces pieces;
    private readonly bool isHuggingFace;

    private ModelWeights(WeightsFile file, IReadOnlyDictionary<string, string> plain, IReadOnlyList<WeightNetwork> networks,
        WeightNetwork network)
    {
        (this.file, this.network, Networks, pieces) = (file, network, networks, new WeightPieces(file.Shape));
        string? headPrefix = plain.Values.Select(OfficialNames.HeadPrefix).OfType<string>().Distinct().Where(network.HasHead)
            .OrderByDescending(prefix => prefix.Length).FirstOrDefault();
        var inHead = headPrefix is null ? null : new WeightNetwork(headPrefix, network.Role);
        // The longest prefix that a name stands behind is the network that it is of: one may lie in another.
        WeightNetwork[] longestFirst = [.. networks.OrderByDescending(other => other.Prefix.Length)];
        Centre = plain.FirstOrDefault(pair => IsCentre(pair.Value)).Key;
        foreach (string name in file.Names)
        {
            string bare = plain[name];
            if (name == Centre)
                continue;
            if (inHead is not null && inHead.Owns(bare) && OfficialNames.HeadPrefix(bare) == headPrefix)
                Place(name, OfficialNames.Meaning(inHead.Within(bare)));
            else if (inHead is { IsHead: true } && inHead.Owns(bare))
                (OfficialNames.Meaning("head." + inHead.Within(bare)).Part == WeightPart.Aside ? aside : unexpectedInHead).Add(name);
            else if (longestFirst.FirstOrDefault(other => other.Owns(bare)) != network || WeightNetwork.IsState(network.Within(bare)))
                aside.Add(name);
            else
                isHuggingFace |= Place(name, OfficialNames.Meaning(network.Within(bare)))
                    && OfficialNames.IsHuggingFace(network.Within(bare));
        }
        unexpected.AddRange(pieces.JoinInto(backbone));
        Family = WeightFamily.Of(foreign);
    }

    /// <summary>Where the network stands in the file: <c>teacher.backbone</c>, <c>state_dict.momentum_encoder</c>, or nothing.</summary>
    public string Key => network.Prefix;

    /// <summary>Whether it is a teacher, a student, or not said.</summary>
    public NetworkRole Role => network.Role;

    /// <summary>All networks of the file, in the order in which they are taken where none is asked for.</summary>
    public IReadOnlyList<WeightNetwork> Networks { get; }

    /// <summary>The backbone's tensors by their official names.</summary>
    public IReadOnlyDictionary<string, WeightSource> Backbone => backbone;

    /// <summary>The head's tensors by their official names; none if the file holds a backbone alone.</summary>
    public IReadOnlyDictionary<string, WeightSource> Head => head;

    /// <summary>The tensor that holds the loss's centre, or null.</summary>
    public string? Centre { get; }

    /// <summary>Tensors that are known to be no part of the network: optimizer state, the other network, a classifier.</summary>
    public IReadOnlyList<string> Aside => aside;

    /// <summary>The other kind of network that the file looks like, in words; null for a plain Vision Transformer.</summary>
    public string? Family { get; }

    /// <summary>The layout in words.</summary>
    public string Layout => (isHuggingFace ? "Hugging Face's names" : "official names")
        + (Key.Length == 0 ? "" : $", under {Key}")
        + (Networks.Count == 1 ? "" : $" ({RoleWord}; the file also has "
        + $"{string.Join(", ", Networks.Where(other => other != network).Take(3))})")
        + (head.Count > 0 ? ", with a projection head" : ", backbone alone");

    /// <summary>Teacher, student, or that nothing says which.</summary>
    public string RoleWord => Role switch
    {
        NetworkRole.Teacher => "the teacher",
        NetworkRole.Student => "the student",
        _ => "not marked as teacher or student"
    };

    /// <summary>Finds the network in a file.</summary>
    /// <param name="file">The open file, which stays open as long as values are to be read.</param>
    /// <param name="key">
    /// <c>teacher</c> or <c>student</c> of a training checkpoint; null for the teacher if there is one, else whatever there is.
    /// </param>
    /// <exception cref="WeightsException">The file holds no Vision Transformer, or not the one asked for.</exception>
    public static ModelWeights Find(WeightsFile file, string? key = null)
    {
        var plain = file.Names.ToDictionary(name => name, OfficialNames.Plain);
        var networks = WeightNetwork.In(plain.Values);
        if (networks.Count == 0)
            throw new WeightsException(WeightsFault.NoNetwork, $"{file.Path}: no Vision Transformer is in it under a name that is known"
                + $"{(WeightFamily.Of(file.Names) is { } kind ? $" (it looks like {kind})" : "")}{Whole(file)}; its {file.Names.Count} "
                + $"tensors are "
                + $"{string.Join(", ", file.Names.Take(3).Select(
                    name => name.Length > 80 ? name[..80] + "…" : name))}{(file.Names.Count > 3 ? ", …" : ".")}");
        // A backbone alone is what evaluation asks for, whichever network it was of.
        var chosen = networks[0];
        if (key == Student && chosen.Role == NetworkRole.Teacher)
            chosen = networks.FirstOrDefault(network => network.Role != NetworkRole.Teacher)
                ?? throw new WeightsException(WeightsFault.NoNetwork, $"{file.Path}: it holds a teacher and no student.");
        return new ModelWeights(file, plain, networks, chosen);
    }

    private static string Whole(WeightsFile file) =>
        ((string[])["model", "teacher", "student", "net", "backbone", "state_dict"])
            .FirstOrDefault(key => file.Metadata.TryGetValue(key, out string? text)
            && text.StartsWith("(an object of ", StringComparison.Ordinal)) is { } whole
            ? $"; its {whole} is {file.Metadata[whole].Trim('(', ')')}, saved whole: save model.state_dict() instead"
            : "";

    // Whether it is the backbone's.
    private bool Place(string name, (WeightPart Part, string Official, int Piece) meaning)
    {
        var (part, official, piece) = meaning;
        switch (part)
        {
            case WeightPart.Aside:
                aside.Add(name);
                return false;
            case WeightPart.Foreign:
                foreign.Add(name);
                return false;
            case WeightPart.Unknown:
                (official.Split('.') is [var first, _, ..] && WeightNetwork.IsHeadName(first) ? unexpectedInHead : unexpected).Add(name);
                return false;
        }
        bool isNew = piece >= 0 ? pieces.Add(official, piece, name)
            : (part == WeightPart.Backbone ? backbone : head).TryAdd(official, new WeightSource([name], file.Shape(name)));
        if (!isNew)
            unexpected.Add(name);
        return part == WeightPart.Backbone;
    }

    private static bool IsCentre(string plainName) =>
        plainName is "center" or "dino_loss.center" || plainName.EndsWith(".dino_loss.center", StringComparison.Ordinal);

    /// <summary>
    /// The sizes of the backbone, from the shapes of its tensors, and its parts, from their names. The number of heads is in no shape: see
    /// <see cref="Heads"/>.
    /// </summary>
    /// <exception cref="WeightsException">The shapes are not those of a Vision Transformer.</exception>
    public ViTConfig BackboneConfig(int? heads = null)
    {
        bool rotary = backbone.ContainsKey(LaterNames.Periods) || LeavesPeriodsOut, gated = backbone.ContainsKey("blocks.0.mlp.w12.weight");
        var patches = Shape("patch_embed.proj.weight", 4);
        long[] positions = rotary ? [1, 2, patches[0]] : Shape("pos_embed", 3),
            registers = backbone.ContainsKey("register_tokens") ? Shape("register_tokens", 3) : [1, 0, patches[0]];
        var hidden = Shape(gated ? "blocks.0.mlp.w12.weight" : "blocks.0.mlp.fc1.weight", 2);
        int side = (int)Math.Sqrt(Math.Max(0, positions[1] - 1));
        if (positions[0] != 1 || 1 + (long)side * side != positions[1] || side == 0)
            throw Wrong($"the position embedding of ({string.Join(", ", positions)}) is not of a class token and a square grid");
        if (patches[2] != patches[3] || patches[0] != positions[2] || hidden[1] != positions[2]
            || positions.Concat(patches).Concat(hidden).Any(size => size is < 1 or > 1 << 20))
            throw Wrong("its shapes do not fit together");
        if (registers[0] != 1 || registers[1] is < 0 or > 1024 || registers[2] != positions[2] || (gated && hidden[0] % 2 != 0))
            throw Wrong("its registers or its gated MLP do not fit its width");
        if (positions[2] * Math.Max(3 * positions[2], hidden[0]) > int.MaxValue)
            throw Wrong($"a width of {positions[2]} and a hidden width of {hidden[0]} are more than can be calculated with");
        int dim = (int)positions[2];
        // Blocks are counted by the names that are there; a file with block 999 alone must not make a network of a thousand.
        int[] indices = [.. backbone.Keys.Where(name => name.StartsWith("blocks.", StringComparison.Ordinal))
            .Select(name => int.Parse(name.Split('.')[1], CultureInfo.InvariantCulture)).Distinct().Order()];
        if (indices[^1] != indices.Length - 1)
            throw Wrong($"it has {indices.Length} blocks, and the last is number {indices[^1]}: block "
                + $"{Enumerable.Range(0, indices.Length).First(i => indices[i] != i)} is missing");
        int count = Heads(dim, heads).Count;
        if (rotary && dim / count % 4 != 0)
            throw Wrong($"rotary positions need heads of a width that 4 divides, not of {dim / count}");
        if (backbone.TryGetValue(LaterNames.Periods, out var periods) && periods.Shape is [<= 1 << 16]
            && !file.Floats(periods.Names[0]).All(period => period > 0 && float.IsFinite(period)))
            throw Wrong($"it has DINOv3's names, but the periods of its rotary positions ({LaterNames.Periods}) are not all above 0: "
                + $"they were never set, and no feature follows from them");
        bool hasBias = backbone.ContainsKey("blocks.0.attn.qkv.bias");
        return new ViTConfig
        {
            ImageSize = rotary ? RotarySize((int)patches[2]) : side * (int)patches[2],
            Patch = (int)patches[2],
            Channels = (int)patches[1],
            Dim = dim,
            Depth = indices.Length,
            Heads = count,
            MlpRatio = RatioOf((int)(gated ? hidden[0] / 2 : hidden[0]), dim),
            NormEps = rotary ? 1e-5f : 1e-6f,
            Registers = (int)registers[1],
            LayerScale = backbone.ContainsKey("blocks.0.ls1.gamma"),
            SwiGlu = gated,
            Rotary = rotary,
            QkvBias = hasBias,
            KeyBias = hasBias && !pieces.IsKeyBiasLeftOut,
            UntiedNorms = backbone.ContainsKey("cls_norm.weight"),
        };
    }

    // Hugging Face's files of DINOv3, which are known by the names of their projections.
    private bool LeavesPeriodsOut => !backbone.ContainsKey(LaterNames.Periods) && !backbone.ContainsKey("pos_embed")
        && backbone.TryGetValue("blocks.0.attn.qkv.weight", out var qkv)
            && qkv.Names[0].EndsWith(".q_proj.weight", StringComparison.Ordinal);

    // Rotary positions are made for no size; what DINOv3 is evaluated at.
    private static int RotarySize(int patch) => Math.Max(1, 224 / patch) * patch;

    private int? HeadsOfPeriods(int dim) =>
        backbone.TryGetValue(LaterNames.Periods, out var periods) && periods.Shape is [var count] && count is > 0 and < 1 << 20
            && dim % (4 * count) == 0 ? (int)(dim / (4 * count)) : null;

    /// <summary>
    /// The number of heads of a backbone of width <paramref name="dim"/>: what the file states, what is <paramref name="given"/>, what a
    /// Hugging Face
    /// <c>config.json</c> beside the file says, what its rotary positions need, or else that of the published networks of the width, which
    /// is an assumption.
    /// </summary>
    /// <exception cref="WeightsException">
    /// The file states another number than is given, or it cannot be told, or does not divide the width.
    /// </exception>
    public HeadCount Heads(int dim, int? given = null)
    {
        int? stated = null;
        if (file.Metadata.TryGetValue(HeadCount.MetadataKey, out string? text))
            stated = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number > 0 ? number : throw Wrong($"its {HeadCount.MetadataKey} is not a number of heads");
        if (stated is { } both && given is { } other && both != other)
            throw HeadCount.Contradicted(file.Path, other, both);
        var heads = stated is { } inFile ? new HeadCount(inFile, HeadSource.File)
            : given is { } said ? new HeadCount(said, HeadSource.Given)
            : ConfiguredHeads() is { } configured ? new HeadCount(configured, HeadSource.Config)
            : HeadsOfPeriods(dim) is { } turned ? new HeadCount(turned, HeadSource.File)
            : HeadCount.Published(dim) is { } published ? new HeadCount(published, HeadSource.Assumed)
            : throw Wrong($"the number of attention heads of its network of width {dim} cannot be told from it: give `Heads`",
                WeightsFault.HeadsUnknown);
        return heads.Count > 0 && dim % heads.Count == 0 ? heads : throw Wrong($"{heads.Count} heads do not divide the width {dim}");
    }

    /// <summary>The sizes of the head, from the shapes of its tensors; null if the file has none.</summary>
    /// <exception cref="WeightsException">The shapes are not those of a head.</exception>
    public DinoHeadConfig? HeadConfig()
    {
        if (head.Count == 0)
            return null;
        if (!head.TryGetValue("last_layer.weight_v", out var prototypes) || prototypes.Shape is not [var k, var bottleneck]
            || k > int.MaxValue || bottleneck > int.MaxValue)
            throw Wrong("its head has no weight-normalised last layer");
        var linear = head.Where(tensor => tensor.Key.StartsWith("mlp", StringComparison.Ordinal) && tensor.Value.Shape.Count == 2).ToList();
        if (linear.Count is 0 or > 32)
            throw Wrong("its head has no layers before the last");
        return new DinoHeadConfig
        {
            OutDim = (int)k,
            Layers = linear.Count,
            BottleneckDim = (int)bottleneck,
            HiddenDim = linear.Count > 1 && head.TryGetValue("mlp.0.weight", out var first) ? (int)Math.Min(first.Shape[0], int.MaxValue)
                : (int)bottleneck,
            UseBatchNorm = head.Keys.Any(name => name.EndsWith("running_mean", StringComparison.Ordinal)),
        };
    }

    /// <summary>
    /// Compares the file with a model, reading no values: a <see cref="Dino.Model.Backbone"/>, or a <see cref="MultiCropModel"/> with its
    /// head.
    /// A position embedding of another square grid is no difference: it is resampled.
    /// </summary>
    /// <exception cref="ArgumentException">The module is of another kind.</exception>
    public WeightReport Compare(Module model)
    {
        if (model is not (Dino.Model.Backbone or MultiCropModel))
            throw new ArgumentException($"Weights are for a {nameof(Dino.Model.Backbone)} or a {nameof(MultiCropModel)}, not a "
                + $"{model.GetType().Name}.", nameof(model));
        var report = new WeightReport(file.Path) { Family = Family };
        var used = new HashSet<WeightSource>();
        foreach (var tensor in model.Parameters.Concat<ModuleTensor>(model.Buffers))
        {
            if (Source(tensor) is not { } source)
            {
                report.Missing.Add($"{tensor.Name} {tensor.Shape}");
                continue;
            }
            used.Add(source);
            if (Fits(tensor, source))
                report.Loaded.Add(tensor.Name);
            else if (IsOtherGrid(tensor, source))
                report.Resized.Add($"{tensor.Name} ({string.Join(", ", source.Shape)}) to {tensor.Shape}");
            else
                report.Misshapen.Add($"{tensor.Name} is ({string.Join(", ", source.Shape)}), the model's {tensor.Shape}");
        }
        report.Foreign.AddRange(foreign);
        report.Unexpected.AddRange(unexpected);
        if (model is MultiCropModel)
            report.Unexpected.AddRange(unexpectedInHead);
        foreach (var (name, source) in model is MultiCropModel ? backbone.Concat(head) : backbone)
            if (!used.Contains(source))
                (name.StartsWith("blocks.", StringComparison.Ordinal) || LaterNames.IsLater(name) ? report.Foreign : report.Unexpected)
                    .AddRange(source.Names);
        report.Family ??= WeightFamily.Of(report.Foreign);
        return report;
    }

    /// <summary>Sets the parameters and buffers of a model; those that the file does not fit stay as they are.</summary>
    /// <param name="model">The model, with memory.</param>
    /// <param name="allowPartial">Whether tensors may be missing or misshapen, or unexpected outside the blocks.</param>
    /// <exception cref="WeightsException">Some are, and may not; all are named, and nothing was changed.</exception>
    public WeightReport Load(Module model, bool allowPartial = false)
    {
        var report = Compare(model);
        report.ThrowIfNot(allowPartial);
        var resampling = ((model as MultiCropModel)?.Backbone ?? model) is VisionTransformer vit ? vit.Config.Resampling : default;
        foreach (var tensor in model.Parameters.Concat<ModuleTensor>(model.Buffers))
        {
            if (Source(tensor) is not { } source)
                continue;
            if (Fits(tensor, source))
                tensor.Value.CopyFrom(Values(source));
            else if (IsOtherGrid(tensor, source))
                tensor.Value.CopyFrom(ResizeGridOp.Resized(
                    Values(source), (int)source.Shape[1], tensor.Shape[1], tensor.Shape[2], resampling));
        }
        return report;
    }

    /// <summary>The values of a tensor of the backbone or the head, by its official name there, row-major.</summary>
    /// <exception cref="WeightsException">They are not floating-point numbers, or too many, or some are NaN or infinite.</exception>
    public float[] Values(WeightSource source)
    {
        if (source.Names is [var only])
            return Finite(only);
        float[][] parts = [.. source.Names.Select(Finite)];
        if (source.Join is { } join)
            return join(parts);
        float[] stacked = new float[parts.Sum(part => part.Length)];
        int at = 0;
        foreach (float[] part in parts)
        {
            part.CopyTo(stacked, at);
            at += part.Length;
        }
        return stacked;
    }

    // Features of such weights would be NaN, or, behind a norm, nothing but wrong.
    private float[] Finite(string name)
    {
        float[] values = file.Floats(name);
        int first = Array.FindIndex(values, value => !float.IsFinite(value));
        return first < 0 ? values : throw new WeightsException(string.Create(CultureInfo.InvariantCulture,
            $"{file.Path}: {values.Count(value => !float.IsFinite(value))} of the {values.Length} values of {name} are NaN or infinite, "
                + $"the first at place {first}: it was saved after training had diverged, or is damaged. Take an earlier checkpoint."));
    }

    /// <summary>
    /// The values of a tensor of the backbone by its official name, also of one that the layout leaves out because it is always the same.
    /// </summary>
    /// <exception cref="WeightsException">There is none.</exception>
    public float[] Values(string official, BackboneConfig config) =>
        backbone.TryGetValue(official, out var source) ? Values(source)
        : official == LaterNames.Periods && LeavesPeriodsOut && config is ViTConfig vit ? RotaryOp.Periods(vit.Dim / vit.Heads / 4)
        : throw Wrong($"it has no {official}");

    private WeightSource? Source(ModuleTensor tensor)
    {
        string name = tensor.Name;
        if (name.StartsWith("head.", StringComparison.Ordinal))
            return head.GetValueOrDefault(name["head.".Length..]);
        name = name.StartsWith("backbone.", StringComparison.Ordinal) ? name["backbone.".Length..] : name;
        if (name == LaterNames.Periods && LeavesPeriodsOut)
            return new WeightSource([], [tensor.Shape.Count]) { Join = _ => RotaryOp.Periods(tensor.Shape.Count) };
        return backbone.GetValueOrDefault(name);
    }

    private static bool Fits(ModuleTensor tensor, WeightSource source) =>
        source.Shape.SequenceEqual(tensor.Shape.ToArray().Select(size => (long)size));

    private static bool IsOtherGrid(ModuleTensor tensor, WeightSource source) =>
        tensor.Name is "pos_embed" or "backbone.pos_embed" && source.Shape is [1, var tokens, var dim] && dim == tensor.Shape[2]
        && tokens <= 1 << 24 && IsSquare(tokens - 1) && IsSquare(tensor.Shape[1] - 1);

    // The ratio whose product with the width, cut to a whole number, is the hidden width.
    private static float RatioOf(int hidden, int dim)
    {
        float ratio = (float)hidden / dim;
        return (int)(dim * ratio) == hidden ? ratio : MathF.BitIncrement(ratio);
    }

    private static bool IsSquare(long count) => count > 0 && (long)Math.Sqrt(count) is var side && side * side == count;

    private long[] Shape(string name, int rank) => backbone.TryGetValue(name, out var source) && source.Shape.Count == rank
        ? [.. source.Shape]
        : throw Wrong($"its {name} is missing or does not have {rank} dimensions");

    private int? ConfiguredHeads()
    {
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, "config.json");
        if (!isHuggingFace || !File.Exists(path))
            return null;
        try
        {
            if (new FileInfo(path).Length > 1 << 20)
                return null;
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("num_attention_heads", out var heads) && heads.TryGetInt32(out int count)
                ? count
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new WeightsException($"{path}: it lies beside {Path.GetFileName(file.Path)} and cannot be read: {e.Message}", e);
        }
    }

    private WeightsException Wrong(string what, WeightsFault fault = WeightsFault.NoNetwork) =>
        new(fault, $"{file.Path}: {what}{(Family is null ? "" : $": it looks like {Family}, which cannot be loaded")}.");
}
