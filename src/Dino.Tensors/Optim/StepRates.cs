namespace Dino.Tensors.Optim;

/// <summary>The numbers of one optimizer step.</summary>
/// <param name="LearningRate">The learning rate, to be multiplied by <see cref="ParameterChunk.Rate"/>.</param>
/// <param name="WeightDecay">The weight decay, to be multiplied by <see cref="ParameterChunk.Decay"/>.</param>
/// <param name="Held">The slots that keep weights and state in this step, a bit each: see <see cref="ParameterChunk.IsHeld"/>.</param>
public readonly record struct StepRates(double LearningRate, double WeightDecay, int Held);
