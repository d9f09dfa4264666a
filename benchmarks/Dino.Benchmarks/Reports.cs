using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dino.Benchmarks;

/// <summary>What <c>step --json</c> prints; times in milliseconds. The peer's report ends with the losses: the rest is 0 there.</summary>
/// <param name="Gflop">Operations that the model asks for, see <see cref="ModelFlops"/>.</param>
/// <param name="FmaPeakGflops">The machine's FMA rate, measured right after the steps.</param>
/// <param name="ShareOfPeak">What part of it the median step came to.</param>
/// <param name="Tokens">Tokens that go through the student in a step.</param>
/// <param name="PeakPoolMib">The most device memory that was in use.</param>
internal sealed record StepReport(
    string Mode, string Arch, int Patch, int Batch, int OutDim, int LocalCrops, int Threads, string Optim, string Loss, int Iters,
    Dictionary<string, Spread> PhasesMs, double ImagesPerS, double PeakRssMib, double FirstLoss, double LastLoss,
    double Gflop, double FmaPeakGflops, double ShareOfPeak, int Tokens, double PeakPoolMib);

/// <summary>What <c>infer --json</c> prints, as <see cref="StepReport"/>; the peer's ends with the memory.</summary>
internal sealed record InferReport(
    string Mode, string Arch, int Patch, int Size, int Batch, int Threads, Spread Ms, double ImagesPerS, double PeakRssMib,
    double Gflop, double FmaPeakGflops, double ShareOfPeak);

/// <summary>What <c>ops --json</c> prints, in the peer's words.</summary>
internal sealed record OpsReport(string Mode, int Threads, List<OpRow> Rows);

/// <summary>One operator: milliseconds of a call, and the rate (GFLOP/s or GB/s) at the median.</summary>
internal sealed record OpRow(string Op, double Ms, double Min, double Max, double Rate, string Unit);

/// <summary>What <c>peak --json</c> prints.</summary>
internal sealed record PeakReport(string Mode, int Threads, int FloatsAVector, Spread FmaGflops, Spread TriadGbS);

/// <summary>What <c>crops --json</c> prints; of the pipeline's one thread. The peer has no managed memory: 0 bytes there.</summary>
/// <param name="Images">Pictures that were read and cut.</param>
/// <param name="ImagesPerCpuS">Pictures for a second of processor time, all threads of the process together.</param>
/// <param name="BytesPerImage">Managed memory that was allocated for a picture.</param>
internal sealed record CropsReport(
    string Mode, int Images, double Seconds, double ImagesPerS, double ImagesPerCpuS, double PeakRssMib, double BytesPerImage);

/// <summary>What <c>roofline --json</c> prints.</summary>
/// <param name="Device">The hardware.</param>
/// <param name="RoofGflops">The rate of arithmetic that counts as the whole.</param>
/// <param name="RoofGbS">The rate of copying that does.</param>
internal sealed record RooflineReport(string Mode, string Device, double RoofGflops, double RoofGbS, List<RooflineRow> Rows);

/// <summary>One operator: milliseconds of a call among many, its rate, and the share of the roof.</summary>
internal sealed record RooflineRow(string Op, double Ms, double Min, double Max, double Rate, string Unit, double Share);

/// <summary>What <c>gpu_roof.py</c> prints: large products in each precision and a copy, by PyTorch on the same GPU.</summary>
internal sealed record RoofReport(string Device, double Fp32Gflops, double Tf32Gflops, double Bf16Gflops, double CopyGbS);

/// <summary>What the peer of the GPU step writes.</summary>
internal sealed record PeerSteps(List<PeerStep> Results);

/// <summary>One of its configurations; <see cref="Error"/> says why there are no times.</summary>
internal sealed record PeerStep(
    string Arch, int Patch, int Batch, string Mode, bool Ok, double TotalMs, double MinMs, double MaxMs, double ImagesPerS,
    double? PeakAllocMib, string? Error);

/// <summary>Reports as one line of JSON, keys in snake case.</summary>
internal static class ReportJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // NaN: what this machine does not tell
    };

    public static string Write<T>(T report) => JsonSerializer.Serialize(report, Options);

    public static T Read<T>(string line) =>
        JsonSerializer.Deserialize<T>(line, Options) ?? throw new JsonException("The report is empty.");
}
