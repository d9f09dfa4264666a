using System.Globalization;
using System.Text;
using Dino.Tensors.Io;

namespace Dino.Benchmarks;

/// <summary>Measurements of growth as comma-separated values.</summary>
internal static class GrowthCsv
{
    /// <summary>Writes the file anew: rows of other days would be of other code.</summary>
    public static void Write(IReadOnlyList<GrowthRow> rows, string path)
    {
        var text = new StringBuilder(
            "date,cores,threads,arch,patch,batch,crops,tokens,ms_median,ms_min,ms_max,ms_per_image,peak_rss_mib,peak_pool_mib\n");
        string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        foreach (var (settings, tokens, ms, resident, pool) in rows)
            text.Append(CultureInfo.InvariantCulture, $"{date},{Machine.Cores},{settings.Threads},{settings.Arch},{settings.Patch},")
                .Append(CultureInfo.InvariantCulture, $"{settings.Batch},{settings.Batch * (2 + settings.LocalCrops)},{tokens},")
                .Append(CultureInfo.InvariantCulture, $"{ms.Median:0.##},{ms.Min:0.##},{ms.Max:0.##},{ms.Median / settings.Batch:0.##},")
                .Append(CultureInfo.InvariantCulture, $"{resident:0.#},{pool:0.#}\n");
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
