namespace Dino.Cli.Demo;

/// <summary>Draws a scene: background, scraps, shadows, then the objects over them, each pixel from four points.</summary>
internal static class SceneRenderer
{
    /// <summary>Fills <paramref name="rgb"/> (size·size·3) and <paramref name="mask"/> (size·size: 0, or 1 + the object's place).</summary>
    public static void Render(Scene scene, ObjectClass kind, int size, Span<byte> rgb, Span<byte> mask)
    {
        for (int row = 0; row < size; row++)
        {
            for (int column = 0; column < size; column++)
            {
                int pixel = row * size + column;
                var colour = Background(scene, column + 0.5f, row + 0.5f, size);
                for (int i = 0; i < scene.Objects.Length; i++)
                {
                    float cover = Cover(scene.Objects[i], kind, column, row, ref colour);
                    if (cover >= 0.5f)
                        mask[pixel] = (byte)(i + 1);
                }
                float light = scene.Brightness + scene.LightX * (column - size * 0.5f) + scene.LightY * (row - size * 0.5f);
                Write(colour, light, scene.GrainSeed, pixel, rgb.Slice(3 * pixel, 3));
            }
        }
    }

    private static Tint Background(Scene scene, float x, float y, int size)
    {
        float tone = scene.Tone, hue = scene.Hue;
        foreach (var swell in scene.Swells)
        {
            float wave = MathF.Sin(swell.KX * x + swell.KY * y + swell.Phase);
            tone += swell.Tone * wave;
            hue += swell.Hue * wave;
        }
        var colour = Tint.Of(tone, hue, 0.06f);
        foreach (var scrap in scene.Clutter)
        {
            var (u, v) = scrap.Place.ToObject(x, y);
            float inside = Edge(scrap.Outline(u * scrap.Stretch, v) * scrap.Place.Radius);
            if (inside > 0)
                colour = colour.Towards(Tint.Of(tone + scrap.Tone, scrap.Hue, scrap.Chroma), inside);
        }
        return colour;
    }

    /// <summary>Lays the object and its shadow over the colour; returns the share of the pixel that the object covers.</summary>
    private static float Cover(SceneObject thing, ObjectClass kind, int column, int row, ref Tint colour)
    {
        var place = thing.Place;
        float dx = column + 0.5f - place.X, dy = row + 0.5f - place.Y, reach = place.Radius * 1.25f;
        if (dx * dx + dy * dy > reach * reach)
            return 0;
        float fall = place.Radius * 0.09f, blur = place.Radius * 0.16f;
        var (sx, sy) = place.ToObject(column + 0.5f - fall, row + 0.5f - fall);
        float shadow = Math.Clamp(0.5f - kind.Outline(sx, sy) * place.Radius / (2 * blur), 0, 1);
        colour = colour.Scaled(1 - 0.35f * shadow);

        float cover = 0;
        var sum = default(Tint);
        for (int sample = 0; sample < 4; sample++)
        {
            // Rotated grid: no two of the four points share a row or a column.
            float px = column + (sample switch { 0 => 0.375f, 1 => 0.875f, 2 => 0.125f, _ => 0.625f });
            float py = row + 0.125f + 0.25f * sample;
            var (u, v) = place.ToObject(px, py);
            float distance = kind.Outline(u, v), inside = Edge(distance * place.Radius);
            if (inside <= 0)
                continue;
            float scale = place.Radius / thing.Period;
            var texel = kind.Surface(u * scale + thing.OffsetU, v * scale + thing.OffsetV);
            cover += 0.25f * inside;
            sum = sum.Plus(Surface(thing, texel, distance), 0.25f * inside);
        }
        colour = colour.Scaled(1 - cover).Plus(sum, 1);
        return cover;
    }

    private static Tint Surface(SceneObject thing, Texel texel, float distance)
    {
        // Every element has a colour of its own, so that no colour stands for an object, still less for a class.
        uint hash = SurfaceTexture.Hash(texel.Element ^ (int)thing.ColourSeed);
        float hue = thing.Hue + 0.9f * ((hash & 0xFFFF) / 32768f - 1), variation = 0.06f * ((hash >> 16) / 32768f - 1);
        var light = Tint.Of(thing.LightTone + variation, hue, 0.12f);
        var dark = Tint.Of(thing.DarkTone, thing.Hue + MathF.PI, 0.06f);
        float rim = Math.Clamp(1 + distance * 3.5f, 0, 1); // the outer third falls off as a cushion's edge would
        return dark.Towards(light, texel.Light).Scaled(1 - 0.3f * rim * rim);
    }

    private static float Edge(float distance) => Math.Clamp(0.5f - distance, 0, 1);

    private static void Write(Tint colour, float light, uint seed, int pixel, Span<byte> rgb)
    {
        float grain = 0.03f * ((SurfaceTexture.Hash(pixel ^ (int)seed) & 0xFFFF) / 65536f - 0.5f);
        rgb[0] = ToByte(colour.R * light + grain);
        rgb[1] = ToByte(colour.G * light + grain);
        rgb[2] = ToByte(colour.B * light + grain);
    }

    private static byte ToByte(float value) => (byte)(Math.Clamp(value, 0, 1) * 255 + 0.5f);
}

/// <summary>A colour, mixed linearly.</summary>
internal readonly record struct Tint(float R, float G, float B)
{
    /// <summary>
    /// A colour of the given luma (0 to 1): the hue moves in the plane of constant luma (BT.601), so brightness does not tell it.
    /// </summary>
    public static Tint Of(float luma, float hue, float chroma)
    {
        float u = chroma * MathF.Cos(hue), v = chroma * MathF.Sin(hue);
        return new(luma + 1.14f * v, luma - 0.395f * u - 0.581f * v, luma + 2.032f * u);
    }

    public Tint Scaled(float factor) => new(R * factor, G * factor, B * factor);
    public Tint Plus(Tint other, float weight) => new(R + other.R * weight, G + other.G * weight, B + other.B * weight);
    public Tint Towards(Tint other, float share) => Scaled(1 - share).Plus(other, share);
}
