"""Raises an alarm when a reading leaves its permitted range."""

LIMITS = {"temperature": (-20.0, 80.0), "pressure": (0.5, 6.0)}


def handler(event, context):
    alarms = []
    for name, (low, high) in LIMITS.items():
        value = event["telemetry"].get(name)
        if value is not None and not low <= value <= high:
            alarms.append({"reading": name, "value": value, "low": low, "high": high})
    if not alarms:
        return None  # publishes nothing
    return {"device": context.device, "ts": event["telemetry"]["ts"], "alarms": alarms}
