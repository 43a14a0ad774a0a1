"""Watches the vibration of a compressor's first cylinder.

A model is a function of one message. What it remembers between messages, such as the mean here, is
its own affair; a device always uses the same process.
"""

import collections

POINT = "RC_cylinder1_1P_d_dispPeak"
WINDOW = 20
LIMIT = 100.0

recent = collections.defaultdict(lambda: collections.deque(maxlen=WINDOW))


def handler(event, context):
    value = event["telemetry"][POINT]
    values = recent[context.device]
    values.append(value)
    mean = sum(values) / len(values)
    return {
        "device": context.device,
        "ts": event["telemetry"].get("ts"),
        "value": value,
        "mean": round(mean, 2),
        "alarm": value > LIMIT,
    }
