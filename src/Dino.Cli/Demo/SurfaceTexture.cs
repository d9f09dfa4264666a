namespace Dino.Cli.Demo;

/// <summary>A texture at one point: how much of the light tone shows (0 to 1), and the element that the point belongs to.</summary>
internal readonly record struct Texel(float Light, int Element);

/// <summary>The surfaces of the demonstration's objects: patterns of a light on a dark tone, with a period of about one unit.</summary>
internal static class SurfaceTexture
{
    private const float Soft = 0.06f; // half the width of an edge, in periods: half a pixel at the usual scale

    public static Texel Stripes(float u, float v) => new(Band(Wave(u), 0.5f), (int)MathF.Floor(u + 0.5f));

    public static Texel Zigzag(float u, float v)
    {
        float w = u + 0.75f * Wave(v * 0.62f);
        return new(Band(Wave(w), 0.5f), (int)MathF.Floor(w + 0.5f));
    }

    public static Texel Checks(float u, float v)
    {
        const float Scale = 1.45f;
        (u, v) = (u * Scale, v * Scale);
        int i = (int)MathF.Floor(u), j = (int)MathF.Floor(v);
        float du = MathF.Min(u - i, 1 - u + i), dv = MathF.Min(v - j, 1 - v + j), edge = MathF.Min(du, dv);
        float inside = 0.5f + 0.5f * Math.Clamp(edge / (Soft * Scale), 0, 1);
        return new(((i + j) & 1) == 0 ? inside : 1 - inside, Pair(i, j));
    }

    public static Texel Dots(float u, float v)
    {
        var (du, dv, element) = Staggered(u, v);
        return new(Band(MathF.Sqrt(du * du + dv * dv), 0.31f), element);
    }

    public static Texel Rings(float u, float v)
    {
        var (du, dv, element) = Staggered(u * 0.8f, v * 0.8f);
        return new(Band(MathF.Abs(MathF.Sqrt(du * du + dv * dv) - 0.32f), 0.115f), element);
    }

    public static Texel Bricks(float u, float v)
    {
        const float Height = 0.62f, Width = 1.5f, Joint = 0.09f;
        int row = (int)MathF.Floor(v / Height);
        float x = u / Width + 0.5f * (row & 1);
        int column = (int)MathF.Floor(x);
        float dx = MathF.Min(x - column, 1 - x + column) * Width, y = v - row * Height, dy = MathF.Min(y, Height - y);
        return new(1 - Band(MathF.Min(dx, dy), Joint), Pair(column, row));
    }

    public static Texel Mesh(float u, float v)
    {
        float du = MathF.Abs(u - MathF.Round(u)), dv = MathF.Abs(v - MathF.Round(v));
        int element = du < dv ? Pair((int)MathF.Round(u), 7919) : Pair(104729, (int)MathF.Round(v));
        return new(Band(MathF.Min(du, dv), 0.13f), element);
    }

    public static Texel Scales(float u, float v)
    {
        // Rows of overlapping discs like roof tiles: a point belongs to the lowest row whose disc covers it.
        const float Rise = 0.5f, Radius = 0.56f;
        int top = (int)MathF.Floor(v / Rise);
        for (int row = top - 1; row <= top + 1; row++)
        {
            float shift = 0.5f * (row & 1), centre = MathF.Round(u - shift) + shift;
            float du = u - centre, dv = v - row * Rise, distance = MathF.Sqrt(du * du + dv * dv);
            if (distance < Radius && dv >= 0)
                return new(1 - Band(Radius - distance, 0.15f), Pair((int)(2 * centre), row));
        }
        return new(0, 0);
    }

    public static Texel Cracks(float u, float v)
    {
        // Distance to the border between the two nearest of scattered seeds (Worley noise, F2 − F1).
        int i = (int)MathF.Floor(u), j = (int)MathF.Floor(v), element = 0;
        float nearest = float.MaxValue, second = float.MaxValue;
        for (int y = j - 1; y <= j + 1; y++)
        {
            for (int x = i - 1; x <= i + 1; x++)
            {
                uint hash = Hash(Pair(x, y));
                float du = x + (hash & 0xFFFF) / 65536f - u, dv = y + (hash >> 16) / 65536f - v, d = du * du + dv * dv;
                if (d < nearest)
                    (second, nearest, element) = (nearest, d, Pair(x, y));
                else if (d < second)
                    second = d;
            }
        }
        return new(1 - Band(MathF.Sqrt(second) - MathF.Sqrt(nearest), 0.16f), element);
    }

    public static Texel Speckles(float u, float v)
    {
        // Small grains of which one in three is light, shifted from their lattice.
        const float Scale = 2.9f;
        (u, v) = (u * Scale, v * Scale);
        int j = (int)MathF.Floor(v);
        float x = u + (Hash(j * 31) & 0xFFFF) / 65536f;
        int i = (int)MathF.Floor(x);
        uint hash = Hash(Pair(i, j));
        return new(hash % 100 < 36 ? 1 : 0, Pair(i, j));
    }

    /// <summary>A well-mixed word of an element's number (the finaliser of MurmurHash3).</summary>
    public static uint Hash(int element)
    {
        uint h = (uint)element;
        h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
        h = (h ^ (h >> 13)) * 0xC2B2AE35u;
        return h ^ (h >> 16);
    }

    /// <summary>1 below the threshold, 0 above it, with a soft edge.</summary>
    private static float Band(float distance, float threshold) => Math.Clamp((threshold - distance) / (2 * Soft) + 0.5f, 0, 1);

    /// <summary>Distance to the nearest integer, doubled: a triangle wave between 0 and 1.</summary>
    private static float Wave(float u) => 2 * MathF.Abs(u - MathF.Round(u));

    /// <summary>Offset from the nearest point of a staggered lattice, and that point's number.</summary>
    private static (float Du, float Dv, int Element) Staggered(float u, float v)
    {
        const float Row = 0.8660254f;
        int j = (int)MathF.Round(v / Row);
        float shift = 0.5f * (j & 1);
        int i = (int)MathF.Round(u - shift);
        return (u - i - shift, v - j * Row, Pair(i, j));
    }

    private static int Pair(int i, int j) => unchecked(i * 73856093 ^ j * 19349663);
}
