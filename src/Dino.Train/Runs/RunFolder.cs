using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Dino.Pictures.DataSets;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Train.Methods;

namespace Dino.Train.Runs;

/// <summary>The folder of a run: who holds it, which pictures it is of, and the files in it. Rank 0 alone writes there.</summary>
internal sealed class RunFolder(RunOptions run, ImageFolder pictures, IRanks ranks) : IDisposable
{
    private static readonly JsonSerializerOptions json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // a file for people, not a part of a web page
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    private FolderLock? hold;
    private PictureListing? listing;
    private DataIdentity? identity;
    private bool listed;

    /// <summary>Whether this process is the one that writes.</summary>
    public bool IsWriter => ranks.Rank == 0;

    /// <summary>The checkpoint that a run continues from.</summary>
    public string Latest => Path.Combine(run.OutputDir, RunFiles.Latest);

    /// <summary>Names of the pictures that were held out.</summary>
    public string HeldOut => Path.Combine(run.OutputDir, RunFiles.HeldOut);

    /// <summary>How many files were left out of the pictures because they look like masks.</summary>
    public int MasksLeftOut => pictures.MasksLeftOut;

    /// <summary>The log.</summary>
    public string Log => Path.Combine(run.OutputDir, RunFiles.Log);

    /// <summary>What the pictures are compared by; null before they were listed.</summary>
    public DataIdentity? Identity => identity;

    /// <summary>A sentence about the checkpoint that is kept, with a space behind it; empty without one.</summary>
    public string Kept => File.Exists(Latest) ? $"The last checkpoint is kept: {Latest}. " : "";

    /// <summary>The file of a checkpoint that stays.</summary>
    public string OfEpoch(int epochs) => Path.Combine(run.OutputDir, $"checkpoint{epochs:D4}.safetensors");

    /// <summary>Keeps the folder to this run, and removes what killed runs left in it.</summary>
    /// <exception cref="RunException">Another process uses it.</exception>
    public void Hold()
    {
        if (hold is not null || !IsWriter)
            return;
        hold = FolderLock.Acquire(run.OutputDir);
        AtomicFile.RemoveLeftovers(run.OutputDir, RunFiles.IsOne);
    }

    /// <summary>Lists the pictures, once.</summary>
    public (PictureListing Listing, DataIdentity Identity) List(CancellationToken cancel)
    {
        listing ??= PictureListing.Of(pictures, run.Verify, cancel);
        return (listing, identity ??= listing.Identity());
    }

    /// <summary>Refuses to write over a run that is there.</summary>
    /// <exception cref="RunException">One is, and was not to be replaced.</exception>
    public void ThrowIfTaken()
    {
        if (!run.Restart && File.Exists(Latest))
            throw new RunException($"{run.OutputDir} holds a run already: go on with it (Resume), replace it (`Restart`), or give "
                + $"another folder.");
    }

    /// <summary>Makes the folder that of a new run: nothing that is left of an earlier one may pass for a part of it.</summary>
    /// <param name="isInitialised">Whether the note of the first weights is of this run.</param>
    /// <param name="cancel">Stops the listing of the pictures.</param>
    /// <returns>What a person should know of what is there; null for nothing.</returns>
    /// <exception cref="RunException">A run is there.</exception>
    public string? Begin(bool isInitialised, CancellationToken cancel)
    {
        ThrowIfTaken();
        List(cancel);
        ranks.Barrier(); // all have looked, before it is gone
        if (!IsWriter)
            return null;
        File.Delete(Latest);
        File.Delete(Path.ChangeExtension(Latest, ".json"));
        if (!isInitialised)
            File.Delete(Path.Combine(run.OutputDir, RunFiles.InitialWeights));
        HeldOutPictures.Write(HeldOut, run.HeldOut);
        string[] earlier = RunFiles.Kept(run.OutputDir);
        if (earlier.Length == 0)
            return null;
        string names = $"{string.Join(", ", earlier.Take(3))}{(earlier.Length > 3 ? ", …" : "")}";
        return $"{run.OutputDir} keeps checkpoints of an earlier run until this one replaces them: {names}";
    }

    /// <summary>Writes a checkpoint, and before the first one what the pictures are.</summary>
    public void Save(string path, IMethod method, CheckpointInfo info)
    {
        if (!IsWriter)
            return;
        if (!listed)
            listing!.Write(run.OutputDir);
        listed = true;
        Checkpoint.Save(path, method.State, info);
    }

    /// <summary>Writes the options of the run, or removes those of another.</summary>
    public void WriteArguments()
    {
        if (!IsWriter)
            return;
        string path = Path.Combine(run.OutputDir, RunFiles.Arguments);
        if (run.Arguments is { } arguments)
            AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Lines(arguments))));
        else
            File.Delete(path);
    }

    // A line an option, lists too.
    private static string Lines(JsonObject arguments) => "{\n" + string.Join(",\n", arguments.Select(
        pair => $"  {JsonSerializer.Serialize(pair.Key, json)}: {pair.Value?.ToJsonString(json) ?? "null"}")) + "\n}\n";

    /// <summary>Writes what the run was initialised from.</summary>
    public void Write(InitializationNote note)
    {
        if (IsWriter)
            note.Write(Path.Combine(run.OutputDir, RunFiles.InitialWeights));
    }

    /// <summary>Gives the folder back.</summary>
    public void Dispose() => hold?.Dispose();
}
