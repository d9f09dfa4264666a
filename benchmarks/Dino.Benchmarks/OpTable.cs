using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using Dino.Tensors.Random;

namespace Dino.Benchmarks;

/// <summary>The single operators of a ViT-S step, under the peer's names and at its shapes.</summary>
internal static class OpTable
{
    /// <summary>The update of our optimizer measures the gradients' norms in the same call: it stands against the peer's two.</summary>
    public const string ClipAndAdamW = "clip + adamw fused 21.67M params";

    /// <summary>A linear map and the GELU of its result, on the host in one pass: it stands against the peer's two.</summary>
    public const string Fc1WithGelu = "linear + gelu fwd fc1 3152x384->1536";

    public const string Flops = "GFLOP/s", Bytes = "GB/s";
    private const long Parameters = 21_665_664; // ViT-S/16 without a head

    /// <summary>Every operator, in the peer's order.</summary>
    public static IEnumerable<Op> All =>
    [
        .. Linear("qkv", 16 * 197, 384, 1152),
        .. Linear("proj", 16 * 197, 384, 384),
        .. Linear("fc1", 16 * 197, 384, 1536),
        LinearWithGelu(16 * 197, 384, 1536),
        .. Linear("fc2", 16 * 197, 1536, 384),
        .. Linear("head", 160, 2048, 2048),
        .. Linear("last32", 32, 256, 65536, bias: false),
        .. Linear("last160", 160, 256, 65536, bias: false),
        Forward("mm 1024x1024x1024", 2.0 * 1024 * 1024 * 1024, Flops, device =>
        {
            Tensor a = Random(device, 1024, 1024), b = Random(device, 1024, 1024);
            return () => a.MatMul(b);
        }),
        Forward("patch conv16 fwd 16x3x224x224", 2.0 * 16 * 196 * 768 * 384, Flops, device =>
        {
            Tensor x = Random(device, 16, 3, 224, 224), w = Random(device, 384, 3, 16, 16), b = Random(device, 384);
            return () => x.PatchEmbedding(w, b);
        }),
        .. Attention(16, 6, 197, 64),
        .. Attention(16, 6, 37, 64),
        .. Attention(64, 6, 37, 64),
        .. Attention(2, 6, 785, 64),
        Forward("layernorm fwd 3152x384", 2 * 4.0 * 3152 * 384, Bytes, device =>
        {
            Tensor x = Random(device, 3152, 384), w = Random(device, 384), b = Random(device, 384);
            return () => x.LayerNorm(w, b);
        }),
        Backward("layernorm bwd 3152x384 (dx,dw,db)", 3 * 4.0 * 3152 * 384, Bytes, device =>
        {
            Tensor x = Random(device, 3152, 384), w = Random(device, 384), b = Random(device, 384);
            return new([x, w, b], () => x.LayerNorm(w, b), Random(device, 3152, 384));
        }),
        .. Rows("gelu", 3152, 1536, x => x.Gelu()),
        .. Rows("softmax", 16 * 6 * 197, 197, x => x.Softmax()),
        .. Rows("softmax", 32, 65536, x => x.Softmax()),
        .. Rows("log_softmax", 160, 65536, x => x.LogSoftmax()),
        Add("add 3152x384", 3152, 384),
        Add("add 4M", 1, 1 << 22),
        new("add_ 16M in place", 3 * 4.0 * (1 << 24), Bytes, device =>
        {
            Tensor x = Random(device, 1 << 24), y = Tensor.Zeros(device, new Shape(1 << 24));
            return new(() => x.Accumulate(y));
        }),
        Forward("weight_norm fwd 65536x256", 2 * 4.0 * 65536 * 256, Bytes, device =>
        {
            Tensor v = Random(device, 65536, 256), g = Random(device, 65536, 1);
            return () => v.WeightNorm(g);
        }),
        new(ClipAndAdamW, 8 * 4.0 * Parameters, Bytes, device =>
        {
            var optimizer = new AdamW(Backbone(device, trainable: true));
            return new(() => optimizer.Step(1e-5, 0.04, clip: 3));
        }),
        new("ema foreach_lerp 21.67M params", 3 * 4.0 * Parameters, Bytes, device =>
        {
            var (student, teacher) = (Backbone(device, trainable: true), Backbone(device, trainable: false));
            var average = new ExponentialMovingAverage(teacher, student);
            return new(() => average.Update(0.996));
        }),
        new("clip per parameter 21.67M params", 4.0 * Parameters, Bytes, device =>
        {
            var student = Backbone(device, trainable: true);
            var clip = new GradientClip(new ChunkTable(student, groups: null));
            return new(() => clip.Run(student.CompleteGradients(), 3));
        }),
    ];

    /// <summary>
    /// The parts of a step at sizes that fill a GPU: a product of <paramref name="side"/>³, the rest for so many pictures.
    /// </summary>
    public static IEnumerable<Op> Large(int side, int pictures)
    {
        int rows = 2 * pictures * 197, elements = side * side;
        return
        [
            Forward($"mm {side}^3", 2.0 * side * side * side, Flops, device =>
            {
                Tensor a = Random(device, side, side), b = Random(device, side, side);
                return () => a.MatMul(b);
            }),
            Linear("fc1", rows, 384, 1536)[0],
            Linear("fc2", rows, 1536, 384)[0],
            Linear("last", 2 * pictures, 256, 65536, bias: false)[0],
            Attention(2 * pictures, 6, 197, 64)[0],
            Attention(8 * pictures, 6, 37, 64)[0],
            Attention(Math.Max(1, pictures / 4), 6, 785, 64)[0],
            new($"copy {elements} floats", 2 * 4.0 * elements, Bytes, device =>
            {
                Tensor x = Random(device, elements), y = Random(device, elements);
                return new(() => y.CopyFrom(x));
            }),
            Add($"add {elements} floats", side, side),
            Forward($"layernorm fwd {rows}x384", 2 * 4.0 * rows * 384, Bytes, device =>
            {
                Tensor x = Random(device, rows, 384), w = Random(device, 384), b = Random(device, 384);
                return () => x.LayerNorm(w, b);
            }),
            Rows("gelu", rows, 1536, x => x.Gelu())[0],
            Rows("softmax", 2 * pictures, 65536, x => x.Softmax())[0],
            Rows("log_softmax", 10 * pictures, 65536, x => x.LogSoftmax())[0],
            .. All.Where(op => op.Name.Contains("21.67M", StringComparison.Ordinal)),
        ];
    }

    private static Op[] Linear(string name, int rows, int inputs, int outputs, bool bias = true)
    {
        double flops = 2.0 * rows * inputs * outputs;
        return
        [
            Forward($"linear fwd {name} {rows}x{inputs}->{outputs}", flops, Flops, device =>
            {
                Tensor x = Random(device, rows, inputs), w = Random(device, outputs, inputs);
                var b = bias ? Random(device, outputs) : null;
                return () => x.Linear(w, b);
            }),
            Backward($"linear bwd {name} (dX,dW,db)", 2 * flops, Flops, device =>
            {
                Tensor x = Random(device, rows, inputs), w = Random(device, outputs, inputs);
                var b = bias ? Random(device, outputs) : null;
                return new(b is null ? [x, w] : [x, w, b], () => x.Linear(w, b), Random(device, rows, outputs));
            }),
        ];
    }

    // The first product of the feed-forward op, as a backward pass needs it: GELU's input is kept.
    private static Op LinearWithGelu(int rows, int inputs, int outputs) => new(Fc1WithGelu, 2.0 * rows * inputs * outputs, Flops, device =>
    {
        Tensor x = Random(device, rows, inputs), w = Random(device, outputs, inputs), b = Random(device, outputs);
        Tensor before = Random(device, rows, outputs), y = Random(device, rows, outputs);
        var shape = GemmShape.Dense(rows, outputs, inputs, transposeB: true);
        return new(() =>
        {
            using var arena = device.BeginArena();
            MatrixProduct.Run<GeluOp.Fused>(device, shape, x, w, y, Epilogue.Activation(b, before));
        });
    });

    private static Op[] Attention(int images, int heads, int tokens, int width)
    {
        double flops = 4.0 * images * heads * tokens * tokens * width;
        string sizes = $"B{images} H{heads} N{tokens} D{width}";
        return
        [
            Forward($"sdpa fwd {sizes}", flops, Flops, device =>
            {
                var qkv = Random(device, images, tokens, 3 * heads * width);
                return () => qkv.Attention(heads);
            }),
            Backward($"sdpa bwd {sizes}", 2 * flops, Flops, device =>
            {
                var qkv = Random(device, images, tokens, 3 * heads * width);
                return new([qkv], () => qkv.Attention(heads), Random(device, images, tokens, heads * width));
            }),
        ];
    }

    private static Op[] Rows(string name, int rows, int columns, Func<Tensor, Tensor> function)
    {
        double bytes = 4.0 * rows * columns;
        return
        [
            Forward($"{name} fwd {rows}x{columns}", 2 * bytes, Bytes, device =>
            {
                var x = Random(device, rows, columns);
                return () => function(x);
            }),
            Backward($"{name} bwd {rows}x{columns}", 3 * bytes, Bytes, device =>
            {
                var x = Random(device, rows, columns);
                return new([x], () => function(x), Random(device, rows, columns));
            }),
        ];
    }

    private static Op Add(string name, int rows, int columns) => Forward(name, 3 * 4.0 * rows * columns, Bytes, device =>
    {
        Tensor x = Random(device, rows, columns), y = Random(device, rows, columns);
        return () => x.Add(y);
    });

    /// <summary>A call whose result is given back within the measurement, as the peer's is.</summary>
    private static Op Forward(string name, double work, string unit, Func<Device, Func<Tensor>> make) => new(name, work, unit, device =>
    {
        var function = make(device);
        return new(() =>
        {
            using var arena = device.BeginArena();
            function();
        });
    });

    /// <summary>A backward pass alone, into new gradients: the forward pass before it is not measured.</summary>
    private static Op Backward(string name, double work, string unit, Func<Device, Differentiated> make) => new(name, work, unit, device =>
    {
        var (inputs, function, dy) = make(device);
        var tape = new Tape(device);
        Arena? arena = null;
        Tensor? y = null;
        foreach (var input in inputs)
            input.RequiresGrad = true;
        return new(
            () => tape.Backward(y!, dy),
            Before: () =>
            {
                arena = device.BeginArena();
                tape.Record();
                y = function();
            },
            After: () =>
            {
                arena!.Dispose();
                foreach (var input in inputs)
                {
                    input.Grad?.Dispose();
                    input.Grad = null;
                }
            });
    });

    private static FlatParameters Backbone(Device device, bool trainable)
    {
        var parameters = new FlatParameters(new VisionTransformer(ViTConfig.Named("vit_small")), device, trainable);
        parameters.Initialize(0);
        if (trainable)
            parameters.CompleteGradients().Fill(1e-3f);
        return parameters;
    }

    private static Tensor Random(Device device, params ReadOnlySpan<int> sizes)
    {
        var shape = Shape.Of(sizes);
        float[] values = new float[shape.Count];
        var random = new PhiloxStream(0);
        int drawn = Math.Min(values.Length, 1 << 20);
        for (int i = 0; i < drawn; i++)
            values[i] = (float)random.Normal();
        // Large ones repeat themselves: drawing would take longer than what is measured.
        for (int i = drawn; i < values.Length; i += drawn)
            values.AsSpan(0, Math.Min(drawn, values.Length - i)).CopyTo(values.AsSpan(i));
        return Tensor.From(device, values, shape);
    }

    /// <summary>What is differentiated: by which inputs, and the gradient that arrives.</summary>
    private sealed record Differentiated(Tensor[] Inputs, Func<Tensor> Function, Tensor Dy);
}
