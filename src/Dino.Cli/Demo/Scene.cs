using Dino.Tensors.Random;

namespace Dino.Cli.Demo;

/// <summary>A thing in a picture: where it lies (pixels), how large it is (radius in pixels), how it is turned and coloured.</summary>
internal readonly record struct Placement(float X, float Y, float Radius, float Cos, float Sin)
{
    public static Placement At(double x, double y, double radius, double angle) =>
        new((float)x, (float)y, (float)radius, (float)Math.Cos(angle), (float)Math.Sin(angle));

    /// <summary>The point (x, y) of the picture, in object coordinates.</summary>
    public (float X, float Y) ToObject(float x, float y)
    {
        float dx = (x - X) / Radius, dy = (y - Y) / Radius;
        return (Cos * dx + Sin * dy, Cos * dy - Sin * dx);
    }
}

/// <summary>An object of the picture's class with its own surface scale, offset and tones.</summary>
internal sealed record SceneObject(Placement Place, float Period, float OffsetU, float OffsetV, float LightTone, float DarkTone, float Hue,
    uint ColourSeed);

/// <summary>A plain scrap of the background: any outline, no surface, less contrast than an object.</summary>
internal sealed record Clutter(Placement Place, Func<float, float, float> Outline, float Stretch, float Tone, float Hue, float Chroma);

/// <summary>A slow wave of brightness and hue across the background.</summary>
internal readonly record struct Swell(float KX, float KY, float Phase, float Tone, float Hue);

/// <summary>
/// The hues (radians) that every picture shares. Were colour drawn anew for each picture, it would be the easiest thing to tell pictures
/// apart by, and a network that learns without labels would learn that.
/// </summary>
internal static class Palette
{
    public const double Background = 2.6, Object = 5.6;
}

/// <summary>Everything that is drawn at random for one picture.</summary>
internal sealed class Scene
{
    /// <summary>The share of pictures with two objects.</summary>
    public const double TwoObjects = 0.2;

    private Scene(SceneObject[] objects, Clutter[] clutter, Swell[] swells)
    {
        Objects = objects;
        Clutter = clutter;
        Swells = swells;
    }

    public SceneObject[] Objects { get; }
    public Clutter[] Clutter { get; }
    public Swell[] Swells { get; }
    public float Tone { get; private init; }
    public float Hue { get; private init; }
    public float LightX { get; private init; }
    public float LightY { get; private init; }
    public float Brightness { get; private init; }
    public uint GrainSeed { get; private init; }

    /// <summary>Draws a scene on a square of <paramref name="size"/> pixels.</summary>
    public static Scene Draw(int size, ref PhiloxStream random)
    {
        var objects = DrawObjects(size, ref random);
        var clutter = new Clutter[16 + random.NextInt(6)];
        for (int i = 0; i < clutter.Length; i++)
            clutter[i] = DrawClutter(size, ref random);
        var swells = new Swell[4];
        for (int i = 0; i < swells.Length; i++)
        {
            double angle = random.Uniform(0, 2 * Math.PI), waves = random.Uniform(0.4, 1.6) * 2 * Math.PI / size;
            swells[i] = new((float)(Math.Cos(angle) * waves), (float)(Math.Sin(angle) * waves), (float)random.Uniform(0, 2 * Math.PI),
                (float)random.Uniform(0.01, 0.05), (float)random.Uniform(0.05, 0.15));
        }
        double towards = random.Uniform(0, 2 * Math.PI), slope = random.Uniform(0.02, 0.1) / size;
        return new(objects, clutter, swells)
        {
            Tone = (float)random.Uniform(0.45, 0.48),
            Hue = (float)(Palette.Background + random.Uniform(-0.1, 0.1)),
            LightX = (float)(Math.Cos(towards) * slope),
            LightY = (float)(Math.Sin(towards) * slope),
            Brightness = (float)random.Uniform(0.96, 1.04),
            GrainSeed = random.NextUInt(),
        };
    }

    private static SceneObject[] DrawObjects(int size, ref PhiloxStream random)
    {
        bool two = random.Bernoulli(TwoObjects);
        var objects = new SceneObject[two ? 2 : 1];
        // Two objects stand on opposite sides of the centre, so that neither hides the other.
        double side = random.Uniform(0, 2 * Math.PI);
        for (int i = 0; i < objects.Length; i++)
        {
            double radius = size * (two ? random.Uniform(0.21, 0.24) : random.Uniform(0.36, 0.46));
            double x = 0.5 * size, y = 0.5 * size;
            if (two)
            {
                double angle = side + i * Math.PI;
                // On a diagonal there is more room than along an axis.
                double reach = (0.5 * size - radius) / Math.Max(Math.Abs(Math.Cos(angle)), Math.Abs(Math.Sin(angle)));
                x += reach * Math.Cos(angle);
                y += reach * Math.Sin(angle);
            }
            else
            {
                double room = Math.Max(0, 0.5 * size - 0.9 * radius);
                x += random.Uniform(-room, room);
                y += random.Uniform(-room, room);
            }
            objects[i] = new(Placement.At(x, y, radius, random.Uniform(-Math.PI, Math.PI)),
                Period: (float)(size * random.Uniform(0.16, 0.2)),
                OffsetU: (float)random.Uniform(0, 64), OffsetV: (float)random.Uniform(0, 64),
                LightTone: (float)random.Uniform(0.78, 0.88), DarkTone: (float)random.Uniform(0.12, 0.2),
                Hue: (float)(Palette.Object + random.Uniform(-0.1, 0.1)), ColourSeed: random.NextUInt());
        }
        return objects;
    }

    private static Clutter DrawClutter(int size, ref PhiloxStream random)
    {
        var outline = ObjectClass.All[random.NextInt(ObjectClass.All.Count)].Outline;
        double tone = random.Uniform(0.08, 0.22) * (random.Bernoulli(0.5) ? 1 : -1);
        return new(Placement.At(random.Uniform(0, size), random.Uniform(0, size), size * random.Uniform(0.05, 0.17),
                random.Uniform(0, 2 * Math.PI)),
            outline, (float)random.Uniform(0.6, 1.6), (float)tone, (float)(Palette.Background + random.Uniform(-0.5, 0.5)),
            (float)random.Uniform(0.04, 0.09));
    }
}
