using System.Reflection;

namespace Dino.Train;

/// <summary>Refuses to go on with a run under other hyperparameters: it would be a different run, and not the one that was asked for.</summary>
internal static class ResumeCheck
{
    // Changes neither values nor gradients.
    private const string HowNotWhat = nameof(TrainOptions.Recompute);

    public static void Verify(string path, CheckpointInfo info, TrainOptions options, int stepsPerEpoch, int pictures)
    {
        var differences = new List<string>();
        Compare("", info.Options, options, differences);
        if (info.Pictures != pictures)
            differences.Add($"pictures ({info.Pictures} then, {pictures} now)");
        else if (info.StepsPerEpoch != stepsPerEpoch)
            differences.Add($"steps an epoch ({info.StepsPerEpoch} then, {stepsPerEpoch} now)");
        if (differences.Count > 0)
            throw new UserErrorException(
                $"{path} is from a run with other {string.Join(", ", differences)}. Give the same options, or another --output-dir.");
    }

    private static void Compare(string prefix, object then, object now, List<string> differences)
    {
        foreach (var property in then.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite && p.Name != HowNotWhat))
        {
            object? a = property.GetValue(then), b = property.GetValue(now);
            if (a is not null && b is not null && property.PropertyType is { IsClass: true } type && type != typeof(string))
                Compare(prefix + property.Name + ".", a, b, differences);
            else if (!Equals(a, b))
                differences.Add($"{prefix}{property.Name} ({a} then, {b} now)");
        }
    }
}
