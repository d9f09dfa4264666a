namespace Dino.Pictures.Archives;

/// <summary>What an archive holds.</summary>
/// <param name="Members">Its files, in ordinal order of their names.</param>
/// <param name="Remarks">What a person should know of it, each a line.</param>
internal sealed record ArchiveListing(ArchiveMember[] Members, IReadOnlyList<string> Remarks)
{
    /// <summary>The same for both kinds: files that are there twice.</summary>
    public static ArchiveListing Of(MemberList members, params IEnumerable<string> remarks) => new(members.ToArray(),
        [.. remarks, .. members.Replaced == 0 ? [] : (string[])[$"{members.Replaced} files are in it under a name that a later one has, "
            + $"too: the last of a name counts"]]);
}
