namespace Dino.Pictures.Decoding;

/// <summary>Why a codec gives no picture.</summary>
/// <param name="Reason">For a person.</param>
/// <param name="MayBeAnothers">Whether the file may be whole all the same, and another codec should be asked.</param>
internal readonly record struct DecodeFault(string Reason, bool MayBeAnothers)
{
    public const string Truncated = "the file is truncated", Damaged = "its data are damaged";

    /// <summary>What was behind it, if a library threw.</summary>
    public Exception? Cause { get; init; }

    /// <summary>The file is at fault.</summary>
    public static DecodeFault Final(string reason) => new(reason, false);

    /// <summary>The codec does not know such files, or misunderstands them.</summary>
    public static DecodeFault UnknownKind(string reason) => new(reason, true);

    /// <summary>
    /// Of what a library threw: damaged bytes make it do so, but so does a part of the library that is missing, and no file is at fault
    /// then.
    /// </summary>
    public static DecodeFault Of(Exception thrown)
    {
        // A missing library or function of it is a TypeLoadException.
        if (thrown is not (TypeLoadException or TypeInitializationException or BadImageFormatException))
            return Final(Damaged) with { Cause = thrown };
        string why = thrown.GetBaseException().Message.Split('\n')[0].TrimEnd('\r', '.', ' ');
        return Final($"the library that decodes it cannot be loaded ({why})") with { Cause = thrown };
    }
}
