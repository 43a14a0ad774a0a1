"""Runs a model for Bento's processor `subprocess`: reads events from stdin and writes results to stdout, each behind its length.
The argument is a file with the model's index.py and its devices.
"""

import importlib.util
import json
import struct
import sys

with open(sys.argv[1]) as file:
    settings = json.load(file)
spec = importlib.util.spec_from_file_location("index", settings["model"])
model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model)

# Every device of the benchmark has a name and a point.
devices = {device[0]["value"]: device[1]["value"] for device in settings["devices"]}
LENGTH = struct.Struct(">I")
read, write, flush = sys.stdin.buffer.read, sys.stdout.buffer.write, sys.stdout.buffer.flush
while head := read(LENGTH.size):
    (length,) = LENGTH.unpack(head)
    event = json.loads(read(length))
    result = b""
    if devices.get(event["deviceInfo"]["deviceName"]) in event["telemetry"]:
        result = json.dumps(model.handler(event, None)).encode()
    write(LENGTH.pack(len(result)) + result)
    flush()
