namespace Dino.Tensors.Io.Pickle;

/// <summary>
/// The names that a pickle may refer to. A few stand for values of ours; those of other programs' data (paths, configurations,
/// hyperparameters, optimizers)
/// stand for objects that are passed over; and those that exist to run something, or to make tensors in a way that is not read, end the
/// reading. Nothing is
/// ever looked up or called: the last group is refused because a file that names them is not what it says it is.
/// </summary>
internal static class PickleNames
{
    // Module and name as they follow GLOBAL, with a space between.
    private static readonly Dictionary<string, PickleGlobal> known = new()
    {
        ["collections OrderedDict"] = new(PickleName.OrderedDict),
        ["collections defaultdict"] = new(PickleName.DefaultDict),
        ["argparse Namespace"] = new(PickleName.Namespace),
        ["torch._utils _rebuild_tensor_v2"] = new(PickleName.RebuildTensor),
        ["torch._utils _rebuild_parameter"] = new(PickleName.RebuildParameter),
        ["torch Size"] = new(PickleName.Size),
        ["builtins getattr"] = new(PickleName.Attribute), // how Python 3.11 spells a member of an enum
        ["__builtin__ getattr"] = new(PickleName.Attribute),
        ["_codecs encode"] = new(PickleName.Encode), // how protocol 2 spells the bytes of a numpy scalar
        ["numpy.core.multiarray scalar"] = new(PickleName.NumpyScalar),
        ["numpy._core.multiarray scalar"] = new(PickleName.NumpyScalar),
        ["numpy dtype"] = new(PickleName.NumpyDType),
        ["torch DoubleStorage"] = new(PickleName.Storage, ElementType.F64),
        ["torch FloatStorage"] = new(PickleName.Storage, ElementType.F32),
        ["torch HalfStorage"] = new(PickleName.Storage, ElementType.F16),
        ["torch BFloat16Storage"] = new(PickleName.Storage, ElementType.BF16),
        ["torch LongStorage"] = new(PickleName.Storage, ElementType.I64),
        ["torch IntStorage"] = new(PickleName.Storage, ElementType.I32),
        ["torch ShortStorage"] = new(PickleName.Storage, ElementType.I16),
        ["torch CharStorage"] = new(PickleName.Storage, ElementType.I8),
        ["torch ByteStorage"] = new(PickleName.Storage, ElementType.U8),
        ["torch BoolStorage"] = new(PickleName.Storage, ElementType.BOOL),
    };

    private static readonly Dictionary<string, string[]> plain = new()
    {
        ["builtins"] = ["set", "frozenset", "list", "dict", "tuple", "int", "float", "complex", "bool", "str", "bytes", "bytearray",
            "slice", "range", "object", "type", "Ellipsis", "NotImplemented"],
        ["__builtin__"] = ["set", "frozenset", "list", "dict", "tuple", "int", "float", "complex", "bool", "str", "unicode", "long",
            "bytes", "bytearray", "slice", "range", "xrange", "object", "type", "Ellipsis", "NotImplemented"],
        ["collections"] = ["Counter", "deque", "ChainMap", "UserDict", "UserList"],
        ["copy_reg"] = ["_reconstructor"],
        ["copyreg"] = ["_reconstructor"],
        ["functools"] = ["partial"],
        ["types"] = ["SimpleNamespace", "MappingProxyType"],
        ["typing"] = ["Any", "Union", "Optional", "List", "Dict", "Tuple"],
        ["numpy.core.multiarray"] = ["_reconstruct"],
        ["numpy._core.multiarray"] = ["_reconstruct"],
        ["torch"] = ["device", "dtype", "layout", "memory_format", "strided", "float", "float16", "float32", "float64", "bfloat16", "half",
            "double", "int8", "int16", "int32", "int64", "uint8", "bool", "long"],
    };

    private static readonly string[] ofTorch =
        ["torch.nn.modules", "torch.optim", "torch.utils.data", "torch.distributed", "torch.cuda.amp", "torch.amp", "torch.torch_version"];

    private static readonly string[] readers = ["load", "loads", "loadtxt", "genfromtxt", "fromfile", "fromregex", "memmap", "DataSource"];

    // By the first part of the module.
    private static readonly HashSet<string> programs =
    [
        "os", "posix", "nt", "sys", "subprocess", "commands", "shutil", "socket", "ssl", "http", "urllib", "urllib2", "requests", "ftplib",
            "smtplib", "telnetlib", "poplib", "imaplib",
        "xmlrpc", "asyncio", "runpy", "importlib", "imp", "pkgutil", "zipimport", "pty", "platform", "ctypes", "_ctypes", "cffi",
        "webbrowser", "code", "codeop", "pdb", "bdb", "cProfile", "profile", "trace", "timeit", "doctest", "pip", "setuptools",
        "distutils", "ensurepip", "venv", "multiprocessing", "concurrent", "threading", "_thread", "signal", "tempfile", "glob",
        "fileinput", "io", "_io", "pickle", "_pickle", "cPickle", "pickletools", "marshal", "shelve", "dill", "cloudpickle", "joblib",
        "inspect", "operator", "_operator", "itertools", "gc",
        "atexit", "sqlite3", "zipfile", "tarfile", "site", "linecache", "pydoc", "idlelib", "lib2to3", "antigravity", "this", "ast", "dis",
        "compileall", "py_compile", "test", "unittest", "builtins", "__builtin__", "_codecs", "codecs", "collections", "copy_reg",
        "copyreg", "functools", "types", "typing", "numpy", "torch",
    ];

    /// <summary>What a name stands for; null if it is to be refused.</summary>
    public static PickleGlobal? Find(string module, string name)
    {
        if (known.TryGetValue($"{module} {name}", out var global))
            return global;
        string first = module.Split('.')[0];
        bool passed = plain.TryGetValue(module, out string[]? names) && names.Contains(name)
            || module.StartsWith("numpy.random.", StringComparison.Ordinal)
            || module == "numpy" && !readers.Contains(name)
            || ofTorch.Any(start => module == start || module.StartsWith(start + ".", StringComparison.Ordinal))
            || first.Length > 0 && !programs.Contains(first);
        return passed ? new PickleGlobal(PickleName.Foreign) { Text = $"{module}.{name}" } : null;
    }
}
