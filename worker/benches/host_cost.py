"""What a model host costs for each message, beside what any Python host must do: json.loads, the call, json.dumps.

    python3 worker/benches/host_cost.py worker/host/python target/host/release/lib_edgemodel_host.so PYTHON...

Processor time of the host's process, minimum of several rounds, with 200 messages of the seed's size in flight.
"""

import os
import socket
import struct
import subprocess
import sys
import tempfile

ROUNDS, MESSAGES, WINDOW = 7, 20000, 200
FOLDER, LIBRARY, PYTHONS = sys.argv[1], sys.argv[2], sys.argv[3:]
MESSAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/fixtures/seed/sample-message.json")
MODEL = "def handler(event, context):\n    return event\n"
PORTABLE = "import sys\nsys.path.insert(0, sys.argv.pop(1))\nimport edgemodel_host\nedgemodel_host.run()\n"
NATIVE = """
import sys, importlib.util as u, importlib.machinery as m
p = sys.argv.pop(1)
sys.path.insert(0, sys.argv.pop(1))
n = "_edgemodel_host"
s = u.spec_from_file_location(n, p, loader=m.ExtensionFileLoader(n, p))
h = sys.modules[n] = u.module_from_spec(s)
s.loader.exec_module(h)
h.run()
"""
BASELINE = """
import json, sys, time
def handler(event, context):
    return event
message = open(sys.argv[1], "rb").read()
best = 1e9
for _ in range(int(sys.argv[2])):
    began = time.process_time()
    for _ in range(int(sys.argv[3])):
        json.dumps(handler(json.loads(message), None), ensure_ascii=False, separators=(",", ":")).encode()
    best = min(best, time.process_time() - began)
print(best / int(sys.argv[3]) * 1e6)
"""


def field(data):
    return struct.pack("<I", len(data)) + data


def frame(body):
    return struct.pack("<I", len(body)) + body


def processor_time(pid):
    with open("/proc/{}/stat".format(pid)) as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read(stream, buffer, frames):
    """Reads until so many frames are there; what is left of the buffer."""
    while True:
        place = 0
        while frames and len(buffer) - place >= 4:
            (size,) = struct.unpack_from("<I", buffer, place)
            if len(buffer) - place < 4 + size:
                break
            place += 4 + size
            frames -= 1
        buffer = buffer[place:]
        if not frames:
            return buffer
        data = stream.recv(1 << 18)
        if not data:
            raise SystemExit("the host is gone")
        buffer += data


def cost(command, directory, message):
    ours, theirs = socket.socketpair()
    host = subprocess.Popen(command, stdin=theirs)
    theirs.close()
    page = os.memfd_create("page")
    os.ftruncate(page, 40)
    ours.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", page))])
    os.close(page)
    ours.sendall(frame(b"\1\0" + field(b"m") + field(directory.encode()) + field(b"") + field(b"[]")))
    buffer = read(ours, b"", 1)
    calls = b"".join(
        frame(b"\2" + struct.pack("<QBd", 0, 0, 1.5) + field(b"in/t") + field(b"d") + field(message)) for _ in range(WINDOW)
    )
    best = 1e9
    for _ in range(ROUNDS):
        began = processor_time(host.pid)
        for _ in range(MESSAGES // WINDOW):
            ours.sendall(calls)
            buffer = read(ours, buffer, WINDOW)
        best = min(best, processor_time(host.pid) - began)
    ours.close()
    host.wait()
    return best / MESSAGES * 1e6


def main():
    with open(MESSAGE, "rb") as file:
        message = file.read()
    print("| interpreter | json.loads, call, json.dumps, us | portable host, us | more, us | native host, us |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "index.py"), "w") as file:
            file.write(MODEL)
        for python in PYTHONS:
            name = "import sys; print(sys.implementation.name, '%d.%d.%d' % sys.version_info[:3], sys.version_info >= (3, 10))"
            name, version, new = subprocess.check_output([python, "-c", name], text=True).split()
            baseline = [python, "-I", "-c", BASELINE, MESSAGE, str(ROUNDS), str(MESSAGES)]
            plain = float(subprocess.check_output(baseline, text=True))
            portable = cost([python, "-B", "-c", PORTABLE, FOLDER], directory, message)
            native = ""
            if name == "cpython" and new == "True":
                native = "{:.1f}".format(cost([python, "-B", "-c", NATIVE, LIBRARY, FOLDER], directory, message))
            print("| {} {} | {:.1f} | {:.1f} | {:.1f} | {} |".format(name, version, plain, portable, portable - plain, native))


main()
