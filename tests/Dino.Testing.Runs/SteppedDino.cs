using Dino.Model;
using Dino.Tensors;
using Dino.Train.Log;
using Dino.Train.Methods;
using Dino.Train.Methods.Dino;

namespace Dino.Testing.Runs;

/// <summary>DINO on given crops and masks, with the count of the steps that a trainer would keep.</summary>
public sealed class SteppedDino(DinoOptions options, Device device, int stepsPerEpoch) : IDisposable
{
    private readonly StepSchedule schedule = new(options, stepsPerEpoch);

    public DinoMethod Method { get; } = new(options, new MethodContext(device, stepsPerEpoch));

    public MultiCropModel Student => Method.Student;

    public MultiCropModel Teacher => Method.Teacher;

    public Tensors.Nn.FlatParameters StudentParameters => Method.StudentParameters;

    public Tensors.Nn.FlatParameters TeacherParameters => Method.TeacherParameters;

    public Tensors.Optim.Optimizer Optimizer => Method.Optimizer;

    public DinoLoss Loss => Method.Loss;

    public Measurements Measured => Method.Measured;

    public long Step { get; private set; }

    public void Learn(Tensor globals, Tensor? locals, StochasticDepth? globalDepth, StochasticDepth? localDepth) =>
        Method.Learn(globals, locals, globalDepth, localDepth, schedule.At(Step));

    public void Update()
    {
        Method.Update(schedule.At(Step));
        Step++;
    }

    public void Dispose() => Method.Dispose();
}
