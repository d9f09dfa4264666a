using MathNet.Numerics;

namespace Dino.Model.Tests;

/// <summary>
/// The Vision Transformers of DINO, DINOv2 and DINOv3 from their papers, in double precision and in loops over single numbers: slow, and
/// written
/// without a look at the kernels.
/// </summary>
/// <param name="config">The sizes and parts.</param>
/// <param name="tensors">Parameters and buffers by their official names, row-major.</param>
internal sealed class ReferenceViT(ViTConfig config, IReadOnlyDictionary<string, double[]> tensors)
{
    private readonly int d = config.Dim, heads = config.Heads, prefix = 1 + config.Registers;

    /// <summary>All tokens after the last norm, token by token: class token, registers, patches in reading order.</summary>
    public double[][] Tokens(double[] image, int height, int width)
    {
        var x = Blocks(image, height, width, config.Depth);
        return [.. x.Select((token, i) => Norm(token, config.UntiedNorms && i < prefix ? "cls_norm" : "norm"))];
    }

    /// <summary>What the class token of the last block looks at: for each head the weights of all tokens.</summary>
    public double[][] ClassAttention(double[] image, int height, int width)
    {
        var x = Blocks(image, height, width, config.Depth - 1);
        string block = $"blocks.{config.Depth - 1}.";
        var (queries, keys, _) = Projected([.. x.Select(token => Norm(token, block + "norm1"))], block, height / config.Patch,
            width / config.Patch);
        return [.. Enumerable.Range(0, heads).Select(head => Weights(queries[0], keys, head))];
    }

    private List<double[]> Blocks(double[] image, int height, int width, int count)
    {
        int rows = height / config.Patch, columns = width / config.Patch;
        var x = Embedded(image, height, width, rows, columns);
        for (int i = 0; i < count; i++)
        {
            string block = $"blocks.{i}.";
            var attention = Attention([.. x.Select(token => Norm(token, block + "norm1"))], block, rows, columns);
            x = [.. x.Zip(attention, (token, branch) => Sum(token, Scaled(branch, block + "ls1.gamma")))];
            x = [.. x.Select(token => Sum(token, Scaled(Mlp(Norm(token, block + "norm2"), block + "mlp."), block + "ls2.gamma")))];
        }
        return x;
    }

    private List<double[]> Embedded(double[] image, int height, int width, int rows, int columns)
    {
        int p = config.Patch;
        double[] weight = tensors["patch_embed.proj.weight"], bias = tensors["patch_embed.proj.bias"];
        var tokens = new List<double[]> { (double[])tensors["cls_token"].Clone() };
        for (int patch = 0; patch < rows * columns; patch++)
        {
            double[] token = (double[])bias.Clone();
            for (int i = 0; i < d; i++)
                for (int c = 0; c < config.Channels; c++)
                    for (int y = 0; y < p; y++)
                        for (int xx = 0; xx < p; xx++)
                            token[i] += weight[((i * config.Channels + c) * p + y) * p + xx]
                                * image[(c * height + patch / columns * p + y) * width + patch % columns * p + xx];
            tokens.Add(token);
        }
        if (!config.Rotary)
        {
            double[] table = tensors["pos_embed"];
            bool asTrained = height == width && rows * columns == config.Side * config.Side;
            double[][] vertical = Resampling(rows), horizontal = Resampling(columns);
            for (int token = 0; token < tokens.Count; token++)
                for (int i = 0; i < d; i++)
                    tokens[token][i] += token == 0 || asTrained
                        ? table[token * d + i]
                        : Enumerable.Range(0, config.Side * config.Side).Sum(cell =>
                            vertical[(token - 1) / columns][cell / config.Side] * horizontal[(token - 1) % columns][cell % config.Side]
                                * table[(1 + cell) * d + i]);
        }
        tokens.InsertRange(1, Enumerable.Range(0, config.Registers).Select(r => tensors["register_tokens"][(r * d)..((r + 1) * d)]));
        return tokens;
    }

    // torch's upsample_bicubic2d with a scale factor, and its form with antialiasing, which is Pillow's.
    private double[][] Resampling(int to)
    {
        int from = config.Side;
        bool antialias = config.Registers > 0;
        double scale = antialias ? (double)from / to : from / (to + 0.1), a = antialias ? -0.5 : -0.75,
            widen = antialias ? Math.Max(1, scale) : 1;
        return [.. Enumerable.Range(0, to).Select(i =>
        {
            double[] weights = new double[from];
            double centre = (i + 0.5) * scale - 0.5;
            for (int tap = (int)Math.Floor(centre - 2 * widen); tap <= Math.Ceiling(centre + 2 * widen); tap++)
            {
                double t = Math.Abs(tap - centre) / widen;
                double cubic = t < 1 ? (a + 2) * t * t * t - (a + 3) * t * t + 1 : t < 2
                    ? a * t * t * t - 5 * a * t * t + 8 * a * t - 4 * a : 0;
                if (!antialias || (tap >= 0 && tap < from))
                    weights[Math.Clamp(tap, 0, from - 1)] += cubic;
            }
            double sum = weights.Sum();
            return weights.Select(weight => weight / sum).ToArray();
        })];
    }

    private List<double[]> Attention(List<double[]> x, string block, int rows, int columns)
    {
        var (queries, keys, values) = Projected(x, block, rows, columns);
        return [.. queries.Select(query =>
        {
            double[] y = new double[d];
            for (int head = 0; head < heads; head++)
            {
                double[] weights = Weights(query, keys, head);
                for (int i = head * d / heads; i < (head + 1) * d / heads; i++)
                    y[i] = weights.Select((weight, token) => weight * values[token][i]).Sum();
            }
            return Affine(y, block + "attn.proj");
        })];
    }

    private double[] Weights(double[] query, List<double[]> keys, int head)
    {
        int width = d / heads;
        double[] logits = [.. keys.Select(key => Enumerable.Range(head * width, width).Sum(i => query[i] * key[i]) / Math.Sqrt(width))];
        double[] powers = [.. logits.Select(logit => Math.Exp(logit - logits.Max()))];
        return [.. powers.Select(power => power / powers.Sum())];
    }

    private (List<double[]> Queries, List<double[]> Keys, List<double[]> Values) Projected(
        List<double[]> x, string block, int rows, int columns)
    {
        double[][] qkv = [.. x.Select(token => Affine(token, block + "attn.qkv"))];
        double[] Turned(double[] part, int token) =>
            config.Rotary && token >= prefix ? Turn(part, (token - prefix) / columns, (token - prefix) % columns, rows, columns) : part;
        return ([.. qkv.Select((row, token) => Turned(row[..d], token))], [.. qkv.Select((row, token) => Turned(row[d..(2 * d)], token))],
            [.. qkv.Select(row => row[(2 * d)..])]);
    }

    // Angles of a head: those of y, those of x, and both again; x cos + (−second half, first half) sin.
    private double[] Turn(double[] x, int row, int column, int rows, int columns)
    {
        int width = d / heads;
        double[] periods = tensors["rope_embed.periods"], y = new double[d];
        double vertical = 2 * ((row + 0.5) / rows) - 1, horizontal = 2 * ((column + 0.5) / columns) - 1;
        double[] angles = [.. periods.Select(period => 2 * Math.PI * vertical / period),
            .. periods.Select(period => 2 * Math.PI * horizontal / period)];
        for (int head = 0; head < heads; head++)
            for (int i = 0; i < width; i++)
            {
                double angle = angles[i % (width / 2)];
                double rotated = i < width / 2 ? -x[head * width + i + width / 2] : x[head * width + i - width / 2];
                y[head * width + i] = x[head * width + i] * Math.Cos(angle) + rotated * Math.Sin(angle);
            }
        return y;
    }

    private double[] Mlp(double[] x, string name)
    {
        if (!config.SwiGlu)
            return Affine([.. Affine(x, name + "fc1").Select(value => 0.5 * value * (1 + SpecialFunctions.Erf(value / Math.Sqrt(2))))],
                name + "fc2");
        double[] both = Affine(x, name + "w12");
        int hidden = both.Length / 2;
        return Affine([.. Enumerable.Range(0, hidden).Select(i => both[i] / (1 + Math.Exp(-both[i])) * both[hidden + i])], name + "w3");
    }

    private double[] Norm(double[] x, string name)
    {
        double mean = x.Average(), variance = x.Average(value => (value - mean) * (value - mean));
        double[] weight = tensors[name + ".weight"], bias = tensors[name + ".bias"];
        return [.. x.Select((value, i) => (value - mean) / Math.Sqrt(variance + config.NormEps) * weight[i] + bias[i])];
    }

    private double[] Affine(double[] x, string name)
    {
        double[] weight = tensors[name + ".weight"];
        double[]? bias = tensors.GetValueOrDefault(name + ".bias");
        return [.. Enumerable.Range(0, weight.Length / x.Length)
            .Select(row => (bias?[row] ?? 0) + x.Select((value, i) => value * weight[row * x.Length + i]).Sum())];
    }

    private double[] Scaled(double[] x, string name) =>
        tensors.TryGetValue(name, out double[]? gamma) ? [.. x.Zip(gamma, (value, factor) => value * factor)] : x;

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
