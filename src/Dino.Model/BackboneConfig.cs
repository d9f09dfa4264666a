using System.Text;

namespace Dino.Model;

/// <summary>
/// The sizes of a backbone, from which it can be built: one derived record for each kind of network. It stands among a run's options, and in its
/// checkpoints.
/// </summary>
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

    /// <summary>Nothing: a derived record's text has its own members alone.</summary>
    protected virtual bool PrintMembers(StringBuilder builder) => false;
}
