using Dino.Tensors.Ops;
using MathNet.Numerics;

namespace Dino.Tensors.Tests.Ops;

public class GeluTests : OpTests<GeluTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => OpCase.RowLengths.Select(n => new OpCase("Gelu", x => x[0].Gelu(), new Shape(n))
    {
        Truth = x => Array.ConvertAll(x[0], v => v * (1 + SpecialFunctions.Erf(v / Math.Sqrt(2))) / 2),
    });
}
