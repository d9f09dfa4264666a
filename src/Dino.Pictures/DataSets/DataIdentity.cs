namespace Dino.Pictures.DataSets;

/// <summary>What makes a data set the same one: two folders are compared by it, wherever they lie.</summary>
public sealed record DataIdentity
{
    /// <summary>The number of files.</summary>
    public required int Pictures { get; init; }

    /// <summary>Their bytes in all.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 over the relative names and sizes in the order of the samples.</summary>
    public required string Names { get; init; }

    /// <summary>SHA-256 over the times of their last modification, in whole seconds.</summary>
    public required string Times { get; init; }

    /// <summary>SHA-256 over their contents; null where they were not read.</summary>
    public string? Contents { get; init; }

    /// <summary>Compares with what a data set was earlier.</summary>
    internal DataChange Since(DataIdentity then)
    {
        if (Pictures != then.Pictures)
            return DataChange.Number;
        if (Names != then.Names)
            return DataChange.NamesOrSizes;
        if (Contents is not null && then.Contents is not null)
            return Contents != then.Contents ? DataChange.Contents : Times != then.Times ? DataChange.TimesAlone : DataChange.None;
        return Times != then.Times ? DataChange.Times : DataChange.None;
    }
}

/// <summary>How a data set differs from what it was.</summary>
internal enum DataChange
{
    /// <summary>In nothing that was looked at.</summary>
    None,

    /// <summary>In the times of files whose contents are the same: a copy.</summary>
    TimesAlone,

    /// <summary>In the times of files whose contents cannot be compared.</summary>
    Times,

    /// <summary>In the number of pictures.</summary>
    Number,

    /// <summary>In names or sizes.</summary>
    NamesOrSizes,

    /// <summary>In contents.</summary>
    Contents,
}
