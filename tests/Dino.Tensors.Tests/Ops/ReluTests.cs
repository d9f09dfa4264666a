using Dino.Tensors.Ops;
using Dino.Testing;

namespace Dino.Tensors.Tests.Ops;

public class ReluTests : OpTests<ReluTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => OpCase.RowLengths.Select(n => new OpCase("Relu", x => x[0].Relu(), new Shape(n))
    {
        Truth = x => Array.ConvertAll(x[0], v => Math.Max(v, 0)),
        Input = (_, v) => v < 0 ? v - 0.125f : v + 0.125f, // the kink lies farther than a step of the differences
        Tolerance = Tolerance.Exact,
    });
}
