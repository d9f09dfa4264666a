using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary><see cref="BilinearResize"/> for floats: the same two inputs of every output, in both directions, not rounded.</summary>
internal static class FloatBilinear
{
    /// <summary>Resizes the whole picture.</summary>
    public static void Apply(FloatImage source, FloatImage destination, int width, int height)
    {
        destination.Reshape(source.Channels, width, height);
        for (int c = 0; c < source.Channels; c++)
        {
            Span<float> from = source.Plane(c), to = destination.Plane(c);
            for (int y = 0; y < height; y++)
            {
                var (top, bottom, down) = At(y, source.Height, height);
                for (int x = 0; x < width; x++)
                {
                    var (left, right, along) = At(x, source.Width, width);
                    float upper = from[top * source.Width + left] * (1 - along) + from[top * source.Width + right] * along;
                    float lower = from[bottom * source.Width + left] * (1 - along) + from[bottom * source.Width + right] * along;
                    to[y * width + x] = upper * (1 - down) + lower * down;
                }
            }
        }
    }

    private static (int First, int Second, float Weight) At(int position, int input, int output)
    {
        float at = (float)((position + 0.5) * ((double)input / output) - 0.5);
        int floor = (int)MathF.Floor(at);
        return (Math.Clamp(floor, 0, input - 1), Math.Clamp(floor + 1, 0, input - 1), at - floor);
    }
}
