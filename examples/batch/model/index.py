"""Classifies bearing spectra, many at once where they have queued up."""

CLASSES = ["healthy", "inner race", "outer race"]
WEIGHTS = [[1.0, 0.2, 0.1], [-0.4, 1.3, 0.0], [-0.3, 0.1, 1.2]]


def classify(spectra):
    # With numpy this is one call for the whole batch: (spectra @ WEIGHTS.T).argmax(axis=1)
    for spectrum in spectra:
        scores = [sum(w * x for w, x in zip(row, spectrum)) for row in WEIGHTS]
        yield CLASSES[scores.index(max(scores))]


def handler_batch(events, contexts):
    """One result for each event, in their order."""
    classes = classify([event["telemetry"]["spectrum"] for event in events])
    return [
        {"device": context.device, "bearing": bearing}
        for context, bearing in zip(contexts, classes)
    ]


def handler(event, context):
    """Called for the messages of a batch that failed, one by one: only those to blame fail again."""
    return handler_batch([event], [context])[0]
