using System.Text;
using System.Text.Json.Serialization;

namespace Dino.Model;

/// <summary>
/// The sizes of a backbone, from which it can be built: one derived record for each kind of network. It stands among a run's options, and
/// in its
/// checkpoints.
/// </summary>
[JsonConverter(typeof(BackboneConfigJson))]
public abstract record BackboneConfig
{
    /// <summary>Colour channels of the pictures.</summary>
    public abstract int InputChannels { get; init; }

    /// <summary>The length of the vector of a picture.</summary>
    [JsonIgnore]
    public abstract int Width { get; }

    /// <summary>The least that the height and the width of a picture may be, in pixels.</summary>
    [JsonIgnore]
    public abstract int SmallestSize { get; }

    /// <summary>The names of the architectures that <see cref="Named"/> makes.</summary>
    public static IReadOnlyList<string> ArchNames { get; } = [.. BackboneKinds.Own.SelectMany(kind => kind.Archs())];

    /// <summary>An architecture by its published name, <c>vit_small</c>.</summary>
    /// <param name="arch">One of <see cref="ArchNames"/>.</param>
    /// <param name="like">What it takes the rest from: channels and, of the same kind, whatever the name does not say.</param>
    /// <exception cref="ArgumentException">There is no such architecture.</exception>
    public static BackboneConfig Named(string arch, BackboneConfig like)
    {
        var kind = BackboneKinds.Own.FirstOrDefault(kind => kind.Archs().Contains(arch))
            ?? throw new ArgumentException($"'{arch}' is not an architecture; there are {string.Join(", ", ArchNames)}.", nameof(arch));
        return kind.OfArch(arch, like) with { InputChannels = like.InputChannels };
    }

    /// <summary>Declares the network, without memory.</summary>
    /// <exception cref="ArgumentException">The sizes cannot make one.</exception>
    public abstract Backbone Build();

    /// <summary>Checks that the sizes can make a network.</summary>
    /// <exception cref="ArgumentException">One cannot; the message says which.</exception>
    public abstract void Validate();

    /// <summary>The network in words.</summary>
    public abstract string Describe();

    /// <summary>The published names of this kind's architectures; none by default.</summary>
    protected internal virtual IReadOnlyList<string> Archs() => [];

    /// <summary>The sizes of one of <see cref="Archs"/>; what the name does not say is as in other sizes of the same kind.</summary>
    protected internal virtual BackboneConfig OfArch(string arch, BackboneConfig like) => this;

    /// <summary>
    /// The sizes for a network that is trained on square pictures of so many pixels a side; the same where they do not depend on it.
    /// </summary>
    public virtual BackboneConfig ForPictures(int size) => this;

    /// <summary>The number of parameters; exact up to 2⁵³, for sizes of which no memory could hold one.</summary>
    public virtual double ParameterCount() => Build().Parameters.Sum(parameter => (double)parameter.Shape.Count);

    /// <summary>
    /// How much of a training step's memory goes with each picture, in floats: what the forward pass keeps for the backward pass, and what
    /// the backward
    /// pass of a part needs besides. A network that does not say it counts as nothing.
    /// </summary>
    /// <param name="size">The side of a picture in pixels.</param>
    /// <param name="recompute">Whether blocks are computed again: <see cref="Pass.Recompute"/>.</param>
    public virtual (double Kept, double AtWork) TrainingFloats(int size, bool recompute) => (0, 0);

    /// <summary>The published name of an architecture of these sizes, <c>vit_small</c>; null where there is none.</summary>
    public virtual string? ArchName() => null;

    /// <summary>The kind of network in a word, as a listing has it: <c>Dino</c>, <c>DinoV2</c>.</summary>
    public virtual string FamilyName() => GetType().Name;

    /// <summary>The sizes of a listing, by name: <c>patchSize</c>, <c>depth</c>.</summary>
    public virtual IReadOnlyList<(string Name, int Size)> Sizes() => [("channels", InputChannels)];

    /// <summary>The network and its sizes in words.</summary>
    public virtual string DescribeFully() => Describe();

    /// <summary>Nothing: a derived record's text has its own members alone.</summary>
    protected virtual bool PrintMembers(StringBuilder builder) => false;
}
