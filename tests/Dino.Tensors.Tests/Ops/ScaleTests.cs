using Dino.Tensors.Ops;

namespace Dino.Tensors.Tests.Ops;

public class ScaleTests : OpTests<ScaleTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => OpCase.RowLengths.Select(n => new OpCase("Scale", x => x[0].Scale(-1.75f), new Shape(n))
    {
        Truth = x => Array.ConvertAll(x[0], v => -1.75 * v),
    });
}
