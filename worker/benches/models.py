"""How long a model takes from `edgemodel run` to its first result, how many messages it processes and how much memory it has.

    python3 worker/benches/models.py EDGEMODEL [--rounds N] [--seconds S [--rate R]] [--batch MAX[:WAIT]]... FOLDER PYTHON...

EDGEMODEL is the program, FOLDER the model's, PYTHON an interpreter for it or a script that starts one. Needs mosquitto. A message waits at the broker, so the
first result comes as early as it can. For each interpreter and each `--batch` (default: that of the worker) it prints the row of a
table.
"""

import argparse
import glob
import json
import os
import re
import socket
import statistics
import struct
import subprocess
import tempfile
import time
import urllib.request

IN, OUT = "bench/in", "bench/out"
CONFIG = """
funcs:
- devices:
  - deviceName: d1
    deviceAttr:
    - {{attrName: device, attrExpression: "== data_to_dict['device']", attrValue: d1}}
  modelAddress: "file://{zip}"
  modelMd5: {md5}
  modelName: bench
  python: {python}
  startTimeout: 300
  {batch}
mqtts:
- {{name: broker, broker: "tcp://127.0.0.1:{port}"}}
rules:
- sub: {{clientId: bench-sub, name: broker, topic: {topic_in}}}
  pub: {{clientId: bench-pub, name: broker, topic: {topic_out}}}
"""


def packet(kind, body):
    """A packet of MQTT 3.1.1; none here has 128 bytes."""
    return bytes([kind, len(body)]) + body


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


class Client:
    """As much of an MQTT client as this takes."""

    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port))
        self.stream.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text("bench-client")))
        self.expect(0x20)

    def expect(self, kind):
        self.stream.settimeout(300)
        while True:
            head = self.exactly(2)
            size, shift = head[1] & 127, 7
            last = head[1]
            while last & 128:
                (last,) = self.exactly(1)
                size |= (last & 127) << shift
                shift += 7
            self.exactly(size)
            if head[0] & 0xF0 == kind:
                return

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.stream.recv(count - len(data))
            if not piece:
                raise OSError("the broker closed the connection")
            data += piece
        return data

    def subscribe(self, topic):
        self.stream.sendall(packet(0x82, b"\0\1" + text(topic) + b"\0"))
        self.expect(0x90)

    def retain(self, topic, payload):
        self.stream.sendall(packet(0x31, text(topic) + payload))

    def publish(self, topic, payload):
        self.stream.sendall(packet(0x32, text(topic) + b"\0\1" + payload))
        self.expect(0x40)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def broker(folder):
    port = free_port()
    path = os.path.join(folder, "mosquitto.conf")
    with open(path, "w") as file:
        file.write("listener {} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n".format(port))
    process = subprocess.Popen(["mosquitto", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except OSError:
            if process.poll() is not None:
                raise


def family(pid):
    """A process and all that it started."""
    members = [pid]
    for member in members:
        for children in glob.glob("/proc/{}/task/*/children".format(member)):
            with open(children) as file:
                members += file.read().split()
    return members


def memory(pid):
    """Megabytes of a process and all that it started, shared pages in parts."""
    total = 0
    for member in family(pid):
        with open("/proc/{}/smaps_rollup".format(member)) as file:
            total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) / 1024
    return total


def processor(pid):
    """Seconds of processor time of a process and all that it started."""
    total = 0
    for member in family(pid):
        with open("/proc/{}/stat".format(member)) as file:
            total += sum(int(ticks) for ticks in file.read().rpartition(")")[2].split()[11:13])
    return total / os.sysconf("SC_CLK_TCK")


class Worker:
    def __init__(self, program, config, models):
        self.http = free_port()
        command = [program, "run", "--config", config, "--models-dir", models, "--http", "127.0.0.1:{}".format(self.http)]
        self.process = subprocess.Popen(
            command, env={**os.environ, "DOWNLOAD_MODEL": "true", "EDGEMODEL_LOG": "error"}, stderr=subprocess.DEVNULL
        )

    def status(self):
        with urllib.request.urlopen("http://127.0.0.1:{}/status".format(self.http)) as response:
            return json.load(response)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def measure(options, python, batch, folder):
    zip_file = os.path.join(folder, "model.zip")
    command = [options.edgemodel, "pack", options.folder, "--python", python, "--output", zip_file, "--json"]
    packed = json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))
    process, port = broker(folder)
    worker = None
    try:
        config, models = os.path.join(folder, "config.yaml"), os.path.join(folder, "models")
        most, _, wait = batch.partition(":")
        batch = "batch: {{max: {}{}}}".format(most, ", wait: " + wait if wait else "") if batch else ""
        fields = {"batch": batch, "zip": zip_file, "md5": packed["modelMd5"], "python": python, "port": port, "topic_in": IN, "topic_out": OUT}
        with open(config, "w") as file:
            file.write(CONFIG.format(**fields))
        client = Client(port)
        client.subscribe(OUT)
        message = b'{"device": "d1", "value": 1.5}'
        # Installs the model and leaves a session, at which each round's message then waits.
        client.retain(IN, message)
        worker = Worker(options.edgemodel, config, models)
        client.expect(0x30)
        worker.stop()
        client.retain(IN, b"")
        times = []
        for number in range(options.rounds):
            client.publish(IN, message)
            began = time.perf_counter()
            worker = Worker(options.edgemodel, config, models)
            client.expect(0x30)
            times.append((time.perf_counter() - began) * 1000)
            if number + 1 < options.rounds:
                worker.stop()
        client.stream.close()
        summary = None
        if options.seconds:
            command = [options.edgemodel, "bench", "--config", config, "--seconds", str(options.seconds), "--json"]
            if options.rate:
                command += ["--rate", str(options.rate)]
            before = processor(worker.process.pid)
            summary = json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))
            summary["processor"] = (processor(worker.process.pid) - before) / options.seconds
        host = worker.status()["models"][0]["hosts"][0]
        total = memory(worker.process.pid)
        worker.stop()
        return host, statistics.median(times), summary, total
    finally:
        if worker is not None:
            worker.stop()
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("edgemodel")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--rate", type=int)
    parser.add_argument("--batch", action="append", metavar="MAX[:WAIT]")
    parser.add_argument("folder")
    parser.add_argument("python", nargs="+")
    options = parser.parse_args()
    print("| interpreter | host | batch | first result after, ms | messages/s | p50, ms | p99, ms | processors | memory (PSS), MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for python in options.python:
        for batch in options.batch or [""]:
            with tempfile.TemporaryDirectory() as folder:
                host, first, summary, total = measure(options, python, batch, folder)
            rates = " | | | "
            if summary:
                row = "{resultsPerSecond:.0f} | {p50Ms:.1f} | {p99Ms:.1f} | {processor:.2f}"
                rates = row.format(**summary)
            row = "| {} | {} | {} | {:.0f} | {} | {:.0f} |"
            print(row.format(host["python"], host["host"], batch, first, rates, total), flush=True)


main()
