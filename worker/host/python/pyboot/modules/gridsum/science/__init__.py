"""The package of models: below it is the one that this process runs, in the processes that it starts, too."""

import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader


class Finder:
    """Finds the model's package, and a module of it that is there under its other name: `helper` and
    `pyboot.modules.gridsum.science.<model>.helper` are one module."""

    def __init__(self, model, directory):
        self.package = __name__ + "." + model
        self.directory = os.path.abspath(directory)

    def find_spec(self, name, path=None, target=None):
        if name == self.package:
            return self.package_spec()
        if self.package.startswith(name + "."):
            # The model's name has a dot.
            return ModuleSpec(name, None, is_package=True)
        if name.startswith(self.package + "."):
            twin = name[len(self.package) + 1 :]
        else:
            twin = self.package + "." + name
        module = sys.modules.get(twin)
        if module is None or not self.owns(module):
            return None
        spec = ModuleSpec(name, Twin(module), is_package=hasattr(module, "__path__"))
        if hasattr(module, "__path__"):
            spec.submodule_search_locations = module.__path__
        return spec

    def package_spec(self):
        own = os.path.join(self.directory, "__init__.py")
        folders = [self.directory]
        if os.path.isfile(own):
            spec = ModuleSpec(self.package, SourceFileLoader(self.package, own), origin=own, is_package=True)
            spec.has_location = True
            spec.submodule_search_locations = folders
            return spec
        spec = ModuleSpec(self.package, None, is_package=True)
        spec.submodule_search_locations = folders
        return spec

    def owns(self, module):
        """Whether a module is a file or folder of the model."""
        place = getattr(module, "__file__", None)
        places = [place] if place else list(getattr(module, "__path__", ()))
        return any(os.path.abspath(one).startswith(self.directory + os.sep) for one in places)


class Twin:
    """Loads a module that is there under another name: the same one."""

    def __init__(self, module):
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        # The machinery has given it the other name's.
        module.__spec__ = self.spec


_finder = None


def install(model, directory):
    """Makes a model's package importable; returns its name."""
    global _finder
    if _finder is not None:
        sys.meta_path.remove(_finder)
    _finder = Finder(model, directory)
    sys.meta_path.insert(0, _finder)
    return _finder.package


def is_of_model(name):
    """Whether a module is below the model's package."""
    return _finder is not None and name.startswith(_finder.package + ".")


# A process that the model started has this variable from its host.
if "PYBOOT_MODEL" in os.environ:
    _model, _, _directory = os.environ["PYBOOT_MODEL"].partition("\n")
    install(_model, _directory)
