using Dino.Tensors;
using Dino.Tensors.Kernels.Sums;
using Dino.Tensors.Ops;

namespace Dino.Train.Methods.Dino;

/// <summary>
/// The loss of DINO: cross-entropy between the teacher's centred and sharpened distribution of a global view and the student's of every
/// other view (paper, eq. 1 to 4; algorithm 1).
/// </summary>
/// <remarks>Shapes: B pictures, n crops, K prototypes. Rows are crop-major: all pictures of crop 0, then of crop 1, …</remarks>
public sealed class DinoLoss : IDisposable
{
    private readonly Tensor logitSum; // (K), over the batches of the step
    private readonly double studentTemp, centerMomentum;
    private readonly IRanks ranks;
    private int logitRows;

    /// <summary>A loss whose centre is 0.</summary>
    /// <param name="device">Where the centre is.</param>
    /// <param name="prototypes">K.</param>
    /// <param name="studentTemp">The student's temperature.</param>
    /// <param name="centerMomentum">How much of itself the centre keeps in an update.</param>
    /// <param name="ranks">Who shares the batches whose mean the centre follows; null for one.</param>
    public DinoLoss(Device device, int prototypes, double studentTemp, double centerMomentum, IRanks? ranks = null)
    {
        (this.studentTemp, this.centerMomentum, this.ranks) = (studentTemp, centerMomentum, ranks ?? OneRank.Instance);
        Centre = Tensor.Zeros(device, new Shape(prototypes));
        logitSum = Tensor.Zeros(device, new Shape(prototypes));
    }

    /// <summary>The moving mean of the teacher's logits (K).</summary>
    public Tensor Centre { get; }

    /// <summary>
    /// The mean cross-entropy over the pairs of a teacher view and another student view, and the teacher's mean entropy, both in nats.
    /// The logits are counted for the next centre; the loss uses the present one.
    /// </summary>
    /// <param name="student">(n·B, K)</param>
    /// <param name="teacher">(2·B, K)</param>
    /// <param name="teacherTemp">The temperature that sharpens the teacher.</param>
    public (Tensor Loss, Tensor TeacherEntropy) Compute(Tensor student, Tensor teacher, double teacherTemp)
    {
        int pictures = teacher.Shape[0] / 2;
        var targets = teacher.CentredSoftmax(Centre, (float)teacherTemp);
        var loss = student.MultiViewCrossEntropy(targets, pictures, (float)studentTemp);
        Count(teacher);
        return (loss, targets.RowEntropy());
    }

    /// <summary>Counts the teacher's logits (rows, K) for the next centre.</summary>
    public void Count(Tensor teacher)
    {
        ColumnSum.Run(teacher, logitSum, accumulate: logitRows > 0 ? 1 : 0);
        logitRows += teacher.Shape[0];
    }

    /// <summary>Sets the centre to the mean of the logits counted since the last call, whatever it was.</summary>
    public void StartCentre() => MoveCentre(0);

    /// <summary>Moves the centre towards the mean of the logits seen since the last call: once an optimizer step.</summary>
    public void UpdateCentre() => MoveCentre((float)centerMomentum);

    /// <inheritdoc/>
    public void Dispose()
    {
        Centre.Dispose();
        logitSum.Dispose();
    }

    private void MoveCentre(float momentum)
    {
        ranks.Sum(logitSum);
        CentreUpdate.FromSums(Centre, logitSum, logitRows * ranks.Count, momentum);
        logitRows = 0;
    }
}
