"""The portable model host: serves a worker with nothing but the standard library, from Python 3.6 on, in any implementation.

It speaks the frames of `worker/frame` and does what the native host does (`worker/host/src`): the same outcomes and the
same bytes for the same values.
"""

import json
import os
import struct

import edgemodel_support as support
from edgemodel_support import formats, running
from edgemodel_support.channel import now, open_channel

LOAD, CALL, READY, LOAD_FAILED, RESULT, EMPTY, INVALID_JSON, EXCEPTION, UNSERIALIZABLE = range(1, 10)
BATCH_FAILED, HELD = 10, 11

# Largest body of a frame.
MAX_BODY = 272 << 20

# Largest body to the worker, as in worker/frame/src/stream.rs.
MAX_REPLY = 32 << 20

# What a read asks of the system at once: the most that a worker has in flight.
READ = 128 << 10

# Replies are held back while more calls wait, but not longer than this, in nanoseconds, nor when they are larger together.
HELD_BACK = 1000000
HELD_BYTES = 64 << 10

# Most messages that handler_batch gets at once: all that a worker has in flight.
MAX_BATCH = 256

LENGTH = struct.Struct("<I")
CALL_HEAD = struct.Struct("<BQBdI")
REPLY_HEAD = struct.Struct("<IBQQ")

support.own_code(os.path.abspath(__file__))
support.own_code(__file__)


class Broken(OSError):
    """The worker's bytes are not frames of this version."""

    def __init__(self, reason):
        super().__init__("the worker's frames are broken: " + reason)


# Further fields of a Load and of a Call: see worker/frame/src/extra.rs.
VERSION, DECODE, ENCODE, BATCH = 1, 2, 3, 4
DELIVERY = 1


def strings(body, offset, count):
    """Fields of a body, bytes with their lengths before them, and what follows: further fields, with their kinds."""
    fields = []
    for _ in range(count):
        (size,) = LENGTH.unpack_from(body, offset)
        start = offset + 4
        offset = start + size
        fields.append(body[start:offset])
    extra = []
    size = len(body)
    while offset < size:
        if offset + 5 > size:
            raise Broken("a body ends within a field")
        (length,) = LENGTH.unpack_from(body, offset + 1)
        start = offset + 5
        extra.append((body[offset], body[start : start + length]))
        offset = start + length
    if offset != size:
        raise Broken("a body ends within a field")
    return fields, extra


class Host:
    """One model and its worker."""

    def __init__(self, stream, page):
        self.stream = stream
        self.page = page
        self.process = os.getpid()
        self.received = bytearray()
        # How many bytes have to be there before there is a frame.
        self.needed = 4
        self.output = bytearray()
        self.held_since = None
        # Whether nothing may come before a call that raised, and whether there is one that has not come again.
        self.holds = False
        self.holding = False
        self.model = ""
        self.handler = None
        self.batch_handler = None
        self.max_batch = MAX_BATCH
        # The last topic and device: most messages share few.
        self.topic = (b"", "")
        self.device = (b"", "")

    # Frames in.

    def read(self):
        """Waits for bytes; False when the worker is gone."""
        while True:
            data = self.page.waiting(self.stream.recv, READ)
            self.received += data
            if not data or len(self.received) >= self.needed:
                return bool(data)

    def bodies(self):
        """The bodies that have come whole."""
        received = bytes(self.received)
        start, size, self.needed = 0, len(received), 4
        while size - start >= 4:
            (length,) = LENGTH.unpack_from(received, start)
            if length > MAX_BODY:
                raise Broken("a frame of {} bytes is over the limit of {}".format(length, MAX_BODY))
            end = start + 4 + length
            if end > size:
                self.needed = 4 + length
                break
            yield received[start + 4 : end]
            start = end
        self.received = bytearray(received[start:])

    # Frames out.

    def end_a_fork(self):
        """Ends a process that the model forked and that came back from its code: it must never write to the worker."""
        if os.getpid() != self.process:
            os._exit(0)

    def tell(self, kind, *texts):
        """A frame that is not a reply."""
        self.end_a_fork()
        frame = bytes([kind])
        for text in texts:
            field = text.encode()
            frame += LENGTH.pack(len(field)) + field
        self.output += LENGTH.pack(len(frame)) + frame

    def reply(self, call, nanos, kind, *fields):
        self.end_a_fork()
        size = 17 + sum(4 + len(field) for field in fields)
        if size > MAX_REPLY:
            message = "the result has {} bytes, and at most {} are taken".format(size, MAX_REPLY)
            self.reply(call, nanos, UNSERIALIZABLE, message.encode())
            return
        self.output += REPLY_HEAD.pack(size, kind, call, nanos)
        for field in fields:
            self.output += LENGTH.pack(len(field))
            self.output += field

    def write(self):
        if self.output:
            self.page.waiting(self.stream.sendall, self.output)
            self.output = bytearray()
        self.held_since = None

    # The model.

    def load(self):
        """Waits for the first frame and imports the model; False when that fails, which the worker is told."""
        body = None
        while body is None:
            if not self.read():
                return False
            body = next(self.bodies(), None)
        self.received = bytearray()
        if body[0] != LOAD:
            raise Broken("the first frame is not a Load")
        texts, extra = strings(body, 2, 4)
        model, directory, wheels, databases = (field.decode() for field in texts)
        extra = {kind: field.decode() for kind, field in extra if kind in (VERSION, DECODE, ENCODE, BATCH)}
        support.configure(extra.get(VERSION, ""), extra.get(DECODE, ""), extra.get(ENCODE, ""))
        self.holds = bool(body[1])
        fields = [READY, support.python_version()]
        try:
            self.model = model
            self.handler, self.batch_handler = support.load(model, directory, wheels, databases, BATCH in extra)
            self.max_batch = int(extra.get(BATCH, MAX_BATCH))
        except BaseException as error:
            fields = [LOAD_FAILED, *support.describe(error)]
        self.tell(*fields)
        self.write()
        return fields[0] == READY

    def serve(self):
        """Serves the worker until it closes the connection."""
        if self.load():
            settled = False
            while self.read():
                self.calls()
                self.write()
                if not settled:
                    support.settle()
                    settled = True

    def calls(self):
        """Makes every call that has come whole."""
        batch = []
        for body in self.bodies():
            if body[0] != CALL:
                raise Broken("a second Load")
            _, call, alone, seconds, size = CALL_HEAD.unpack_from(body)
            (topic, device, payload), extra = strings(body, CALL_HEAD.size - 4, 3)
            if topic != self.topic[0]:
                self.topic = (topic, topic.decode())
            if device != self.device[0]:
                self.device = (device, device.decode())
            context = support.Context(self.topic[1], self.device[1], self.model, seconds, payload, extra)
            if self.batch_handler is None or alone:
                self.single(call, payload, context, alone)
            else:
                batch.append((call, payload, context))
                if len(batch) >= self.max_batch:
                    self.batch(batch)
                    batch = []
            if self.output:
                if self.held_since is None:
                    self.held_since = now()
                elif now() - self.held_since > HELD_BACK or len(self.output) > HELD_BYTES:
                    self.write()
        if batch:
            self.batch(batch)

    def single(self, call, payload, context, alone):
        """Makes one call."""
        if self.holding and not alone:
            self.reply(call, 0, HELD)
            return
        self.holding = False
        try:
            event = support.decode(payload)
        except Exception as error:
            since = self.page.begin(call, 1)
            self.reply(call, self.page.end() - since, INVALID_JSON, support.not_json(error).encode())
            return
        self.call(call, event, context)

    def call(self, call, event, context):
        running.current = context
        since = self.page.begin(call, 1)
        try:
            result = self.handler(event, context)
            if hasattr(type(result), "__await__"):
                result = support.awaited(result)
        except BaseException as error:
            kind, fields = EXCEPTION, [text.encode() for text in support.describe(error)]
            self.holding = self.holds
        else:
            kind, fields = outcome(result)
        self.reply(call, self.page.end() - since, kind, *fields)

    def batch(self, calls):
        """Makes calls together; if that fails, one by one, so that each gets its own outcome."""
        if self.holding:
            for call, _, _ in calls:
                self.reply(call, 0, HELD)
            return
        events = []
        for call, payload, context in calls:
            try:
                events.append((call, support.decode(payload), context, None))
            except Exception as error:
                events.append((call, None, context, support.not_json(error).encode()))
        sound = [one for one in events if one[3] is None]
        running.current = None
        since = self.page.begin(calls[0][0], len(calls))
        try:
            results = self.batch_handler([event for _, event, _, _ in sound], [one[2] for one in sound])
            results = support.batch_results(results, len(sound))
        except BaseException as error:
            results = None
            self.tell(BATCH_FAILED, *support.describe(error))
        nanos = (self.page.end() - since) // len(calls)
        if results is None:
            for call, payload, context in calls:
                self.single(call, payload, context, False)
            return
        results = iter(results)
        for call, _, _, wrong in events:
            if wrong is None:
                kind, fields = outcome(next(results))
                self.reply(call, nanos, kind, *fields)
            else:
                self.reply(call, nanos, INVALID_JSON, wrong)


# Results.


def simpler(value):
    return support.simpler(value)


encoder = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"), default=simpler
)


def outcome(result):
    """What a model's result is: the kind of reply and its fields."""
    if result is None:
        return EMPTY, ()
    try:
        if type(result) in (bytes, bytearray, memoryview):
            return RESULT, (bytes(result),)
        if formats.encode_other is not None:
            return RESULT, (formats.encode_other(result, support.simpler),)
        return RESULT, (encode(result),)
    except BaseException as error:
        return UNSERIALIZABLE, (support.unserializable(error).encode(),)


def encode(result):
    """A result as JSON in UTF-8."""
    try:
        text = encoder.encode(result)
        if text.count("[") + text.count("{") <= support.MAX_DEPTH or support.depth(text) <= support.MAX_DEPTH:
            return text.encode()
    except BaseException:
        pass  # NaN, lone surrogates, other keys: what the standard library's encoder does not write as the native host does.
    return support.encode(result).encode()


def run():
    """Serves the worker at the other end of file descriptor 0."""
    Host(*open_channel()).serve()
