namespace Dino.Pictures.DataSets;

/// <summary>The pictures that show the same as a query, by how hard they are to find; numbers of the database's pictures.</summary>
/// <param name="Easy">Clearly the same.</param>
/// <param name="Hard">The same, but badly to be seen.</param>
/// <param name="Junk">Too little to be seen to count either way.</param>
/// <param name="Box">Where the query's picture shows it: left, top, right, bottom; or null.</param>
public sealed record RetrievalQuery(IReadOnlyList<int> Easy, IReadOnlyList<int> Hard, IReadOnlyList<int> Junk, IReadOnlyList<double>? Box)
{
    /// <summary>The same among those pictures of the database that could be read.</summary>
    /// <param name="rowOf">For each picture its number among them, or −1.</param>
    internal RetrievalQuery Among(int[] rowOf)
    {
        int[] There(IReadOnlyList<int> pictures) => [.. pictures.Select(picture => rowOf[picture]).Where(row => row >= 0)];
        return new(There(Easy), There(Hard), There(Junk), Box);
    }
}
