using System.Text;
using System.Text.Json.Serialization;

namespace Dino.Model;

/// <summary>
/// The sizes of a backbone, from which it can be built: one derived record for each kind of network. It stands among a run's options, and in its
/// checkpoints.
/// </summary>
[JsonConverter(typeof(BackboneConfigJson))]
public abstract record BackboneConfig
{
    /// <summary>Colour channels of the pictures.</summary>
    public abstract int InputChannels { get; init; }

    /// <summary>Declares the network, without memory.</summary>
    /// <exception cref="ArgumentException">The sizes cannot make one.</exception>
    public abstract Backbone Build();

    /// <summary>Checks that the sizes can make a network.</summary>
    /// <exception cref="ArgumentException">One cannot; the message says which.</exception>
    public abstract void Validate();

    /// <summary>The network in words.</summary>
    public abstract string Describe();

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
