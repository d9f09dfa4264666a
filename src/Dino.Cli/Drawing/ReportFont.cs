using System.Reflection;
using System.Text;
using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>The typeface of all reports: Inter, by Rasmus Andersson (SIL Open Font License 1.1).</summary>
/// <remarks>
/// SkiaSharp's build without dependencies finds no fonts at all on Linux, installed or not: text would be left out without a word. So the
/// program brings its own, and the pictures look the same everywhere. The font files are resources of the assembly Avalonia.Fonts.Inter,
/// which
/// is itself a resource here: nothing else of it is used.
/// </remarks>
internal static class ReportFont
{
    /// <summary>The name by which plots ask for the typeface.</summary>
    public const string Family = "Inter";

    private static readonly Lazy<SKData> RegularFile = new(() => Read("/Assets/Inter-Regular.ttf"));
    private static readonly Lazy<SKData> BoldFile = new(() => Read("/Assets/Inter-Bold.ttf"));
    private static readonly Lazy<SKTypeface> RegularFace = new(() => Create(bold: false));
    private static readonly Lazy<SKTypeface> BoldFace = new(() => Create(bold: true));

    public static SKTypeface Regular => RegularFace.Value;

    public static SKTypeface Bold => BoldFace.Value;

    /// <summary>A typeface that belongs to the caller.</summary>
    public static SKTypeface Create(bool bold) => SKTypeface.FromData((bold ? BoldFile : RegularFile).Value)
        ?? throw new InvalidOperationException("The drawing library refuses the reports' typeface.");

    // Avalonia's format: length of the index; its version and number of entries, each a path, place and size; then the files.
    private static SKData Read(string path)
    {
        using var assembly = new MemoryStream();
        using (var resource = Resource(typeof(ReportFont).Assembly, "Avalonia.Fonts.Inter.dll"))
            resource.CopyTo(assembly);
        using var stream = Resource(Assembly.Load(assembly.ToArray()), "!AvaloniaResources");
        using var reader = new BinaryReader(stream, Encoding.UTF8);
        int files = sizeof(int) + reader.ReadInt32();
        _ = reader.ReadInt32();
        for (int left = reader.ReadInt32(); left > 0; left--)
        {
            string found = reader.ReadString();
            int place = reader.ReadInt32(), size = reader.ReadInt32();
            if (found != path)
                continue;
            stream.Position = files + place;
            return SKData.CreateCopy(reader.ReadBytes(size));
        }
        throw new InvalidOperationException($"Avalonia.Fonts.Inter has no {path}.");
    }

    private static Stream Resource(Assembly assembly, string name) =>
        assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{assembly} has no resource {name}.");
}
