"""The second argument of handler."""

from edgemodel_support import formats
from edgemodel_support.standard import records, standard


class Context:
    """The second argument of handler: where a message came from."""

    __slots__ = ("_topic", "_device", "_model", "_seconds", "_payload", "_extra", "_version")

    def __init__(self, topic, device, model, seconds, payload=b"", extra=(), digest=None):
        self._topic = topic
        self._device = device
        self._model = model
        self._seconds = seconds
        self._payload = payload
        # Further fields of a Call: see worker/frame/src/extra.rs.
        self._extra = extra
        # A process that the model starts was told no version.
        self._version = formats.version if digest is None else digest

    @property
    def topic(self):
        return self._topic

    @property
    def device(self):
        return self._device

    @property
    def model(self):
        return self._model

    @property
    def received_at(self):
        return received_at(self._seconds)

    @property
    def payload(self):
        return self._payload

    @property
    def version(self):
        return self._version

    @property
    def qos(self):
        return delivery(self._extra) & 3

    @property
    def retained(self):
        return bool(delivery(self._extra) & 4)

    @property
    def duplicate(self):
        return bool(delivery(self._extra) & 8)

    @property
    def sample(self):
        return bool(delivery(self._extra) & 16)

    @property
    def properties(self):
        return properties(self._extra)

    @property
    def logger(self):
        return records().logger(self)

    def database(self, name):
        return standard("edgemodel_databases").database(name)

    def __repr__(self):
        return "Context(topic={}, device={}, model={})".format(self._topic, self._device, self._model)


def delivery(extra):
    """Quality of service and flags, as they are in a Call."""
    for kind, field in extra:
        if kind == 1:
            return field[0]
    return 0


def properties(extra):
    """What MQTT 5 says of a message; empty for other messages."""
    user, name = [], ""
    found = {}
    for kind, field in extra:
        if kind == 2:
            name = field.decode()
        elif kind == 3:
            user.append((name, field.decode()))
        elif kind in (4, 5):
            found["content_type" if kind == 4 else "response_topic"] = field.decode()
        elif kind == 6:
            found["correlation_data"] = field
    return Properties(user, **found)


class Properties:
    """User properties, content type, response topic and correlation data."""

    __slots__ = ("user", "content_type", "response_topic", "correlation_data")

    def __init__(self, user=(), content_type=None, response_topic=None, correlation_data=None):
        self.user = list(user)
        self.content_type = content_type
        self.response_topic = response_topic
        self.correlation_data = correlation_data

    def get(self, name, default=None):
        """The value of the first user property of that name."""
        for key, value in self.user:
            if key == name:
                return value
        return default

    def __repr__(self):
        return "Properties(user={!r}, content_type={!r}, response_topic={!r}, correlation_data={!r})".format(
            self.user, self.content_type, self.response_topic, self.correlation_data
        )


def received_at(seconds):
    datetime = standard("datetime")
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.timezone.utc)
