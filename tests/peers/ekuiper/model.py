"""Runs a model as a portable plugin of eKuiper: a function that gets the parts of an event. The environment variable BENCH_MODEL
names the model's index.py.
"""

import importlib.util
import os

from ekuiper import Function, PluginConfig, plugin

spec = importlib.util.spec_from_file_location("index", os.environ["BENCH_MODEL"])
model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model)


class Model(Function):
    def validate(self, args):
        return ""

    def exec(self, args, ctx):
        return model.handler({"deviceInfo": args[0], "telemetry": args[1]}, None)

    def is_aggregate(self):
        return False


instance = Model()
plugin.start(PluginConfig("bench", {}, {}, {"bench_model": lambda: instance}))
