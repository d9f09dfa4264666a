using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Golden;

[Category("Golden")]
public class PosEmbedGoldenTests
{
    private static readonly GoldenSet set = GoldenSet.Open("posembed");

    public static IEnumerable<string> Axes =>
        set.Tensors.Keys.Where(name => name.StartsWith("coords.", StringComparison.Ordinal)).Select(name => name["coords.".Length..]);

    public static IEnumerable<TestCaseData> Resizings =>
        from device in Devices.Names
        from size in set.Config.GetProperty("cases").EnumerateArray()
        select new TestCaseData(device, size[0].GetInt32(), size[1].GetInt32(), size[2].GetInt32());

    [TestCaseSource(nameof(Axes))]
    public void Axis_HasTheReferencesCoordinatesAndWeights(string axis)
    {
        int[] sizes = [.. axis.Split("to").Select(int.Parse)];
        set.Check<double>($"coords.{axis}", ResizeGridOp.Coordinates(sizes[0], sizes[1]));
        set.Check<double>($"weights.{axis}", ResizeGridOp.Weights(sizes[0], sizes[1]));
    }

    [TestCaseSource(nameof(Resizings))]
    public void Resizing_GivesTheReferencesEmbeddingAndGradient(string name, int side, int rows, int columns)
    {
        var device = Devices.Open(name);
        using var tape = new Tape(device);
        using var arena = device.BeginArena();
        string size = $"{side}to{rows}x{columns}";
        var pos = Tensor.From(device, set.Floats($"pos.{side}"), Shape.Of(set[$"pos.{side}"].Shape));
        pos.RequiresGrad = true;
        tape.Record();
        var y = pos.ResizeGrid(rows, columns);
        set.Check<float>($"out.{size}", y.ToArray());
        if (!set.Contains($"up.{size}"))
            return;
        tape.Backward(y, Tensor.From(device, set.Floats($"up.{size}"), y.Shape));
        set.Check<float>($"grad.{size}", pos.Grad!.ToArray());
    }

    [Test]
    public void Resized_OnTheHost_GivesTheSame()
    {
        int[][] squares = [.. set.Config.GetProperty("cases").EnumerateArray()
            .Select(size => size.EnumerateArray().Select(value => value.GetInt32()).ToArray())
            .Where(size => size[1] == size[2])];
        Assert.That(squares, Is.Not.Empty);
        foreach (var (side, rows, columns) in squares.Select(size => (size[0], size[1], size[2])))
        {
            var pos = set[$"pos.{side}"];
            set.Check<float>($"out.{side}to{rows}x{columns}",
                ResizeGridOp.Resized(set.Floats(pos.Name), pos.Shape[1], 1 + rows * columns, pos.Shape[2]));
        }
    }
}
