using System.Runtime.InteropServices;
using Dino.Pictures.DataSets;

namespace Dino.Pictures.Archives;

/// <summary>The files of an archive while it is listed: of several of one name the last is meant, as where archives are unpacked.</summary>
internal sealed class MemberList
{
    private readonly List<ArchiveMember> members = [];
    private readonly Dictionary<string, int> places = new(StringComparer.Ordinal);

    /// <summary>How many were replaced by a later one of their name.</summary>
    public int Replaced { get; private set; }

    /// <summary>The files, in ordinal order of their names.</summary>
    public ArchiveMember[] ToArray()
    {
        var all = members.ToArray();
        Array.Sort(all, (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return all;
    }

    /// <summary>Takes in a file, unless systems put its like beside the files that people mean.</summary>
    public void Add(ArchiveMember member)
    {
        if (member.Name.Length == 0 || IsPassedOver(member.Name))
            return;
        ref int place = ref CollectionsMarshal.GetValueRefOrAddDefault(places, member.Name, out bool known);
        if (known)
        {
            members[place] = member;
            Replaced++;
            return;
        }
        place = members.Count;
        members.Add(member);
    }

    /// <summary>The file of a name that was taken in, or null.</summary>
    public ArchiveMember? Find(string name) => places.TryGetValue(name, out int place) ? members[place] : null;

    /// <summary>A name in an archive as a path from it on: whatever it says, it leads nowhere else.</summary>
    public static string Clean(string name)
    {
        string[] parts = name.Split('/');
        return Array.Exists(parts, IsNoName) ? string.Join('/', parts.Where(part => !IsNoName(part))) : name;
    }

    private static bool IsNoName(string part) => part is "" or "." or "..";

    private static bool IsPassedOver(string name)
    {
        for (int at = 0; at < name.Length;)
        {
            int end = name.IndexOf('/', at) is >= 0 and var slash ? slash : name.Length;
            if (FolderTree.IsPassedOver(name[at..end]))
                return true;
            at = end + 1;
        }
        return false;
    }
}
