# Says what an interpreter is, in one line of JSON. Valid for Python 2.7, so that an old one can be named in a refusal.
# Its arguments: the native host's extension module, or nothing.
import os
import struct
import sys


def libc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        return None


def wrapper_arguments():
    # What a script that starts the interpreter put before the arguments that it was started with.
    try:
        with open("/proc/self/cmdline", "rb") as file:
            arguments = file.read().decode().split("\0")[1:]
        return arguments[: arguments.index("-I")]
    except (IOError, OSError, UnicodeError, ValueError):
        return []


def native_fault():
    # Why the native host does not load; None if it does.
    if sys.implementation.name != "cpython":
        return "it is for CPython alone"
    if sys.version_info < (3, 10):
        return "it is for CPython 3.10 or later"
    if "t" in sys.abiflags:
        return "it is not for free-threaded CPython"
    from importlib.machinery import ExtensionFileLoader, ModuleSpec

    name = "_edgemodel_host"
    try:
        loader = ExtensionFileLoader(name, sys.argv[1])
        loader.exec_module(loader.create_module(ModuleSpec(name, loader, origin=sys.argv[1])))
    except Exception as error:
        return "{}: {}".format(type(error).__name__, error)
    return None


def missing():
    # What every host needs and a Python for small images may lack, such as Debian's python3-minimal.
    return [name for name in ["json"] if not any(finder.find_spec(name, None) for finder in sys.meta_path)]


def json(value):
    # The module json takes longer to import than the interpreter takes to start.
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join([json(name) + ":" + json(one) for name, one in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([json(one) for one in value]) + "]"
    if not isinstance(value, type(u"")):
        value = value.decode("latin-1")
    units = bytearray(value.encode("utf-16-be", "replace"))
    pairs = zip(units[::2], units[1::2])
    return '"' + "".join(["\\u%02x%02x" % pair for pair in pairs]) + '"'


found = {
    "implementation": getattr(sys, "implementation", None) and sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "text": sys.version.split("\n")[0],
    "flags": getattr(sys, "abiflags", ""),
    "libc": libc(),
    "machine": os.uname()[4],
    "bits": struct.calcsize("P") * 8,
    "executable": sys.executable,
}
if sys.version_info >= (3, 6):
    found["missing"] = missing()
    found["arguments"] = wrapper_arguments()
    found["environment"] = {}
    for name, value in os.environ.items():
        try:
            (name + value).encode("utf-8")
        except UnicodeError:
            continue
        found["environment"][name] = value
    if len(sys.argv) > 1:
        found["nativeFault"] = native_fault()
sys.stdout.write("\n" + json(found) + "\n")
sys.stdout.flush()
# What is left is to take the interpreter down, for nothing.
os._exit(0)
