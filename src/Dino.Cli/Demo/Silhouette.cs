namespace Dino.Cli.Demo;

/// <summary>The outlines of the demonstration's objects, as functions of a point that are negative inside and positive outside.</summary>
/// <remarks>
/// A point is given in object coordinates: the outline touches the unit circle, y points down. Values are close to distances near
/// the outline (exact ones would buy nothing: only the sign and about a pixel around it are used).
/// </remarks>
internal static class Silhouette
{
    public static float Disc(float x, float y) => Length(x, y) - 0.92f;

    public static float Square(float x, float y)
    {
        const float Half = 0.62f, Round = 0.14f;
        float dx = MathF.Abs(x) - Half, dy = MathF.Abs(y) - Half;
        return Length(MathF.Max(dx, 0), MathF.Max(dy, 0)) + MathF.Min(MathF.Max(dx, dy), 0) - Round;
    }

    public static float Triangle(float x, float y)
    {
        const float Inradius = 0.52f;
        return MathF.Max(y, MathF.Abs(x) * 0.8660254f - y * 0.5f) - Inradius;
    }

    public static float Cross(float x, float y)
    {
        const float Arm = 0.95f, Half = 0.36f;
        (x, y) = (MathF.Abs(x), MathF.Abs(y));
        return MathF.Max(MathF.Max(x, y) - Arm, MathF.Min(x, y) - Half);
    }

    public static float Star(float x, float y)
    {
        // Fold into one of ten half points, then measure from the edge between tip and notch.
        const float Step = MathF.PI / 5, Tip = 1f, Notch = 0.5f;
        float angle = MathF.Atan2(x, -y);
        angle = MathF.Abs(angle - 2 * Step * MathF.Round(angle / (2 * Step)));
        float radius = Length(x, y), px = radius * MathF.Sin(angle), py = radius * MathF.Cos(angle);
        const float NotchX = Notch * 0.5877853f, NotchY = Notch * 0.8090170f;
        const float EdgeX = NotchX, EdgeY = NotchY - Tip;
        return ((py - Tip) * EdgeX - px * EdgeY) / MathF.Sqrt(EdgeX * EdgeX + EdgeY * EdgeY);
    }

    public static float Heart(float x, float y)
    {
        // The curve (x² + y² − 1)³ = x² y³, scaled to the unit circle and divided by its slope.
        float px = x * 1.2f, py = -y * 1.2f + 0.12f;
        float s = px * px + py * py - 1, value = s * s * s - px * px * py * py * py;
        float gx = 6 * px * s * s - 2 * px * py * py * py, gy = 6 * py * s * s - 3 * px * px * py * py;
        return value / (MathF.Sqrt(gx * gx + gy * gy) + 0.1f) / 1.2f;
    }

    public static float Crescent(float x, float y) =>
        MathF.Max(Length(x, y) - 0.98f, 0.62f - Length(x - 0.52f, y));

    public static float Ring(float x, float y) => MathF.Abs(Length(x, y) - 0.67f) - 0.3f;

    public static float Flower(float x, float y)
    {
        float radius = Length(x, y);
        return (radius - 0.74f - 0.22f * MathF.Cos(5 * MathF.Atan2(x, -y))) * 0.75f;
    }

    public static float Drop(float x, float y)
    {
        // A disc below, drawn out to a tip above.
        const float Radius = 0.66f, Centre = 0.3f;
        float disc = Length(x, y - Centre) - Radius;
        float side = (MathF.Abs(x) - 0.58f * (y + 0.98f)) * 0.865f;
        return y < Centre - Radius * 0.5f ? side : MathF.Min(disc, MathF.Max(side, y - Centre));
    }

    private static float Length(float x, float y) => MathF.Sqrt(x * x + y * y);
}
