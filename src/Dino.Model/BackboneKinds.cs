namespace Dino.Model;

/// <summary>
/// The kinds of backbones that there are: the records that derive from <see cref="BackboneConfig"/>, so that a new one is found by being
/// there.
/// </summary>
internal static class BackboneKinds
{
    private const string Ending = "Config";

    /// <summary>Those of this library, each with the sizes that it has by default.</summary>
    public static IReadOnlyList<BackboneConfig> Own { get; } =
        [.. typeof(BackboneKinds).Assembly.GetTypes().Where(IsKind).OrderBy(type => type.Name, StringComparer.Ordinal)
            .Select(type => (BackboneConfig)Activator.CreateInstance(type)!)];

    /// <summary>The name of a kind in a checkpoint: that of its record, <c>ResNetConfig</c>, without its ending.</summary>
    public static string NameOf(Type type) =>
        type.Name.EndsWith(Ending, StringComparison.Ordinal) ? type.Name[..^Ending.Length] : type.Name;

    /// <summary>
    /// The record of a kind, also of another assembly that is loaded; a name from a file leads to nothing else. Null if there is none.
    /// </summary>
    public static Type? Find(string name)
    {
        var own = typeof(BackboneKinds).Assembly;
        return AppDomain.CurrentDomain.GetAssemblies()
            .Where(assembly => assembly == own || assembly.GetReferencedAssemblies().Any(reference => reference.Name == own.GetName().Name))
            .SelectMany(assembly => assembly.GetTypes())
            .FirstOrDefault(type => IsKind(type) && NameOf(type) == name);
    }

    private static bool IsKind(Type type) => type.IsSubclassOf(typeof(BackboneConfig)) && !type.IsAbstract;
}
