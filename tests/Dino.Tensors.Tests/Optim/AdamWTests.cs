using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Testing;

namespace Dino.Tensors.Tests.Optim;

public class AdamWTests : OptimizerTests
{
    protected override Optimizer Make(FlatParameters parameters, IReadOnlyList<ParameterGroup> groups) => new AdamW(parameters, groups);
}
