using System.Text.Json;

namespace Dino.Benchmarks;

/// <summary>What <c>step --json</c> prints, in the peer's words; times in milliseconds.</summary>
internal sealed record StepReport(
    string Mode, string Arch, int Patch, int Batch, int OutDim, int LocalCrops, int Threads, string Optim, string Loss, int Iters,
    Dictionary<string, Spread> PhasesMs, double ImagesPerS, double PeakRssMib, double FirstLoss, double LastLoss);

/// <summary>What <c>ops --json</c> prints, in the peer's words.</summary>
internal sealed record OpsReport(string Mode, int Threads, List<OpRow> Rows);

/// <summary>One operator: milliseconds of a call, and the rate (GFLOP/s or GB/s) at the median.</summary>
internal sealed record OpRow(string Op, double Ms, double Min, double Max, double Rate, string Unit);

/// <summary>Reports as one line of JSON, keys in snake case.</summary>
internal static class ReportJson
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static string Write<T>(T report) => JsonSerializer.Serialize(report, Options);

    public static T Read<T>(string line) =>
        JsonSerializer.Deserialize<T>(line, Options) ?? throw new JsonException("The report is empty.");
}
