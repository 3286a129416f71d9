"""The real Keras through its public namespaces alone: the perfect drop-in that ceiling.json counts.

A target of `keras_suite.py` (with --allow-keras), which sees nothing of `keras.src` through it.
"""

import importlib
import importlib.abc
import importlib.util
import sys

import keras

__path__: list[str] = []


class Namespaces(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`keras_public.ops` is `keras.ops`."""

    def find_spec(self, name, path=None, target=None):
        if not name.startswith(__name__ + ".") or importlib.util.find_spec(self.real(name)) is None:
            return None
        return importlib.util.spec_from_loader(name, self)

    @staticmethod
    def real(name):
        return "keras" + name.removeprefix(__name__)

    def create_module(self, spec):
        return importlib.import_module(self.real(spec.name))

    def exec_module(self, module):
        """It has been executed under its own name."""


sys.meta_path.insert(0, Namespaces())


def __getattr__(name):
    return getattr(keras, name)


def __dir__():
    return dir(keras)
