namespace Dino.Cli.Demo;

/// <summary>One class of the demonstration: a silhouette and a surface that no other class has. Colour is no part of it.</summary>
internal sealed record ObjectClass(string Name, Func<float, float, float> Outline, Func<float, float, Texel> Surface)
{
    /// <summary>The classes in the order of their labels.</summary>
    public static IReadOnlyList<ObjectClass> All { get; } =
    [
        new("brick-cross", Silhouette.Cross, SurfaceTexture.Bricks),
        new("checked-square", Silhouette.Square, SurfaceTexture.Checks),
        new("cracked-flower", Silhouette.Flower, SurfaceTexture.Cracks),
        new("dotted-heart", Silhouette.Heart, SurfaceTexture.Dots),
        new("meshed-triangle", Silhouette.Triangle, SurfaceTexture.Mesh),
        new("ringed-crescent", Silhouette.Crescent, SurfaceTexture.Rings),
        new("scaly-drop", Silhouette.Drop, SurfaceTexture.Scales),
        new("speckled-ring", Silhouette.Ring, SurfaceTexture.Speckles),
        new("striped-disc", Silhouette.Disc, SurfaceTexture.Stripes),
        new("zigzag-star", Silhouette.Star, SurfaceTexture.Zigzag),
    ];
}
