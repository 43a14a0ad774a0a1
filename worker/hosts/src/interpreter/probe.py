# Says what an interpreter is, in one line of JSON. Valid for Python 2.7, so that an old one can be named in a refusal.
# Its arguments: the native host's extension module, or nothing.
import json
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
    import importlib.machinery
    import importlib.util

    name = "_edgemodel_host"
    try:
        loader = importlib.machinery.ExtensionFileLoader(name, sys.argv[1])
        spec = importlib.util.spec_from_file_location(name, sys.argv[1], loader=loader)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except Exception as error:
        return "{}: {}".format(type(error).__name__, error)
    return None


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
sys.stdout.write("\n" + json.dumps(found) + "\n")
