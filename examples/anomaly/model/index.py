"""Scores a reading against a baseline, with the standard library only.

The score is the distance from the baseline's median in units of its median absolute deviation (MAD). Unlike the mean and the
standard deviation, both are insensitive to outliers in the baseline.
"""

import json
import os
from statistics import median

ANOMALOUS = 3.5

with open(os.path.join(os.path.dirname(__file__), "baseline.json")) as file:
    BASELINE = json.load(file)

CENTER = median(BASELINE)
# 1.4826 makes the MAD of normally distributed readings their standard deviation.
SPREAD = 1.4826 * median(abs(value - CENTER) for value in BASELINE)


def handler(event, context):
    # A message without this key raises KeyError: it fails and is dead-lettered.
    vibration = event["telemetry"]["vibration"]
    score = abs(vibration - CENTER) / SPREAD
    if score < ANOMALOUS:
        return None
    context.logger.warning("vibration %s of %s is anomalous", vibration, context.device)
    return {"device": context.device, "vibration": vibration, "score": round(score, 2)}
