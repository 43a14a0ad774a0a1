"""Converts raw counts of flow meters of different lines to litres per minute."""

# By `deviceName` in config.yaml, which the worker passes as context.device.
LITRES_PER_COUNT = {"line A": 0.25, "line B": 0.4}


def handler(event, context):
    flow = event["telemetry"]["flow_counts"] * LITRES_PER_COUNT[context.device]
    return {"meter": event["deviceInfo"]["deviceName"], "line": context.device, "flow": flow}
