namespace Dino.Tensors.Tests.Ops;

/// <summary>Shapes for ops that reduce all elements, or one dimension.</summary>
internal static class ReductionCases
{
    public static IEnumerable<OpCase> All(
        string name, Func<Tensor, Tensor> whole, Func<Tensor, int, Tensor> along, Func<IEnumerable<double>, double> formula)
    {
        foreach (int n in OpCase.RowLengths)
        {
            yield return Whole(new Shape(n));
            yield return Along(new Shape(3, n), 1);
            yield return Along(new Shape(3, n), 0);
            yield return Along(new Shape(2, 3, n), 1);
        }
        yield return Whole(new Shape());
        yield return Whole(new Shape(3, 4, 500)); // more than one piece
        yield return Along(new Shape(7), 0);
        yield return Along(new Shape(2, 3, 4, 5), -2);
        yield return Along(new Shape(2, 3, 4, 5), 0);
        yield return Along(new Shape(4, 1, 3), 1);

        OpCase Whole(Shape shape) => new(name, x => whole(x[0]), shape) { Truth = x => [formula(x[0])] };

        OpCase Along(Shape shape, int dimension)
        {
            int d = dimension < 0 ? dimension + shape.Rank : dimension, size = shape[d], inner = 1;
            for (int i = d + 1; i < shape.Rank; i++)
                inner *= shape[i];
            return new($"{name} along {dimension} of", x => along(x[0], dimension), shape)
            {
                Truth = x => [.. Enumerable.Range(0, shape.Count / size).Select(i =>
                    formula(Enumerable.Range(0, size).Select(k => x[0][i / inner * size * inner + k * inner + i % inner])))],
            };
        }
    }
}
