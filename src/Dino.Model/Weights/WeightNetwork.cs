namespace Dino.Model.Weights;

/// <summary>Which of the networks of a self-supervised run a network in a file is.</summary>
public enum NetworkRole
{
    /// <summary>The slow average, which is evaluated: teacher, momentum, EMA or target network.</summary>
    Teacher,

    /// <summary>The one that gradients train: student, online or base network.</summary>
    Student,

    /// <summary>Nothing in its name tells.</summary>
    Unmarked,
}

/// <summary>
/// A Vision Transformer among a file's names: all of its tensors stand behind one prefix, whatever program wrote it. The prefix is what
/// stands before the patch embedding; its words tell the role.
/// </summary>
/// <param name="Prefix">
/// Before the names, without wrappers (<see cref="OfficialNames.Plain"/>) and without the last dot; may be empty.
/// </param>
/// <param name="Role">Teacher, student or neither.</param>
public sealed record WeightNetwork(string Prefix, NetworkRole Role)
{
    private static readonly string[] teacherWords = ["teacher", "momentum", "ema", "target", "k"];
    private static readonly string[] studentWords = ["student", "online", "base", "q"];

    // Longest first: embeddings.cls_token must not be a cls_token behind the prefix embeddings.
    private static readonly string[][] anchors =
    [
        ["embeddings.patch_embeddings.projection.weight", "embeddings.patch_embeddings.weight", "patch_embed.proj.weight"],
        ["embeddings.cls_token", "cls_token"],
    ];

    // What an optimizer keeps goes by the parameters' names, and is no network.
    private static readonly string[] state =
        ["optimizer", "optimizers", "optimizer_state", "optimizer_states", "optimizer_state_dict", "scheduler", "lr_scheduler",
            "lr_schedulers", "fp16_scaler", "scaler", "grad_scaler", "callbacks", "loops", "dino_loss"];

    /// <summary>The last part of the prefix, or what it is called where there is none.</summary>
    public override string ToString() => Prefix.Length == 0 ? "the file" : Prefix;

    /// <summary>
    /// The networks of a file, the one to take first: teachers before students before the unmarked, of each the one with the shortest path,
    /// then the one
    /// that comes first.
    /// </summary>
    /// <param name="plainNames">The file's names as <see cref="OfficialNames.Plain"/> gives them.</param>
    public static IReadOnlyList<WeightNetwork> In(IEnumerable<string> plainNames)
    {
        string[] names = [.. plainNames];
        foreach (string[] kind in anchors)
        {
            var prefixes = names.Select(name => PrefixOf(name, kind)).OfType<string>().Distinct().Where(prefix => !IsState(prefix));
            WeightNetwork[] found = [.. prefixes.Select(prefix => new WeightNetwork(prefix, RoleOf(prefix)))
                .OrderBy(network => network.Role).ThenBy(network => Depth(network.Prefix))];
            if (found.Length > 0)
                return found;
        }
        return [];
    }

    /// <summary>Whether the prefix ends in what heads are called.</summary>
    internal bool IsHead => IsHeadName(Prefix[(Prefix.LastIndexOf('.') + 1)..]);

    /// <summary>Whether a plain name stands behind the prefix.</summary>
    public bool Owns(string plainName) => IsBehind(Prefix, plainName);

    /// <summary>A plain name without the prefix.</summary>
    public string Within(string plainName) => Prefix.Length == 0 ? plainName : plainName[(Prefix.Length + 1)..];

    /// <summary>
    /// Whether a projection head that stands behind <paramref name="headPrefix"/> is of this network: of the same role, and beside the
    /// backbone or
    /// above it (<c>teacher.head</c> for <c>teacher.backbone</c>, <c>teacher_head</c> for <c>teacher_backbone.vit</c>).
    /// </summary>
    public bool HasHead(string headPrefix)
    {
        int dot = headPrefix.LastIndexOf('.');
        string last = headPrefix[(dot + 1)..];
        string parent = !IsHeadName(last) ? headPrefix : dot < 0 ? "" : headPrefix[..dot];
        return RoleOf(headPrefix) == Role && (parent == Prefix || IsBehind(parent, Prefix));
    }

    /// <summary>Whether a name or prefix is of an optimizer, a scheduler or a loss.</summary>
    internal static bool IsState(string plainName) => plainName.Split('.').Any(state.Contains);

    internal static bool IsHeadName(string segment) =>
        segment is "head" or "dino_head"
        || segment.EndsWith("_head", StringComparison.Ordinal) && segment.Split('_') is [var word, _]
            && (teacherWords.Contains(word) || studentWords.Contains(word));

    internal static NetworkRole RoleOf(string prefix)
    {
        // The innermost says what it is: student.model_ema is an average of a student.
        foreach (string segment in prefix.Split('.').Reverse())
        {
            string[] words = segment.ToLowerInvariant().Split('_');
            if (words.Any(teacherWords.Contains))
                return NetworkRole.Teacher;
            if (words.Any(studentWords.Contains))
                return NetworkRole.Student;
        }
        return NetworkRole.Unmarked;
    }

    private static string? PrefixOf(string name, string[] kind)
    {
        foreach (string anchor in kind)
        {
            if (name == anchor)
                return "";
            if (name.EndsWith(anchor, StringComparison.Ordinal) && name[^(anchor.Length + 1)] == '.')
                return name[..^(anchor.Length + 1)];
        }
        return null;
    }

    private static bool IsBehind(string prefix, string name) =>
        prefix.Length == 0 || name.Length > prefix.Length && name[prefix.Length] == '.'
            && name.StartsWith(prefix, StringComparison.Ordinal);

    private static int Depth(string prefix) => prefix.Length == 0 ? 0 : 1 + prefix.Count(c => c == '.');
}
