using System.Globalization;
using System.Text;
using Dino.Tensors;
using Dino.Tensors.Io;

namespace Dino.Benchmarks;

/// <summary>What was measured on a GPU as comma-separated values, written anew.</summary>
internal static class GpuCsv
{
    public static void WriteSteps(GpuReport report, string path)
    {
        var text = new StringBuilder(
            "date,device,program,arch,patch,batch,crops,out_dim,precision,ms_median,ms_min,ms_max,images_per_s,memory_mib,error\n");
        foreach (var step in report.Steps)
            text.Append(CultureInfo.InvariantCulture,
                $"{Date},{Quoted(report.Device)},{step.Program},{step.Sizes.Arch},{step.Sizes.Patch},{step.Sizes.Batch},")
                .Append(CultureInfo.InvariantCulture, $"2+{step.Sizes.LocalCrops},{step.Sizes.OutDim},{Text(step.Sizes.Precision)},")
                .Append(step.Error is null
                    ? string.Create(CultureInfo.InvariantCulture,
                        $"{step.Ms:0.###},{step.Min:0.###},{step.Max:0.###},{step.ImagesPerS:0.##},{step.MemoryMib:0},")
                    : ",,,,,").Append(Quoted(step.Error ?? "")).Append('\n');
        Write(path, text);
    }

    public static void WriteRoofline(GpuReport report, string path)
    {
        var text = new StringBuilder("date,device,precision,measured,ms_median,ms_min,ms_max,rate,unit,share,roof_by\n");
        string by = report.Roof is null ? "ours" : "PyTorch";
        if (report.Roof is { } roof)
        {
            foreach (var (name, rate, unit) in ((string, double, string)[])[
                ("fp32,PyTorch product", roof.Fp32Gflops, OpTable.Flops), ("tf32,PyTorch product", roof.Tf32Gflops, OpTable.Flops),
                ("bf16,PyTorch product", roof.Bf16Gflops, OpTable.Flops), (",PyTorch copy", roof.CopyGbS, OpTable.Bytes)])
                text.Append(CultureInfo.InvariantCulture, $"{Date},{Quoted(report.Device)},{name},,,,{rate:0.#},{unit},,\n");
        }
        foreach (var (precision, row) in report.Rooflines.SelectMany(
            roofline => roofline.Report.Rows.Select(row => (roofline.Precision, row))))
            text.Append(CultureInfo.InvariantCulture,
                $"{Date},{Quoted(report.Device)},{Text(precision)},{Quoted(row.Op)},{row.Ms:0.####},{row.Min:0.####},{row.Max:0.####},")
                .Append(CultureInfo.InvariantCulture, $"{row.Rate:0.#},{row.Unit},{row.Share:0.###},{by}\n");
        Write(path, text);
    }

    private static string Text(Precision precision) => precision.ToString().ToLowerInvariant();

    private static string Date => DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static void Write(string path, StringBuilder text) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));

    private static string Quoted(string text) => text.AsSpan().ContainsAny(',', '"') ? $"\"{text.Replace('"', '\'')}\"" : text;
}
