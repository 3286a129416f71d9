"""The errors kbridge raises on purpose. Each one says what was given, what was expected and the next step."""


class KBridgeError(Exception):
    """Base of kbridge's own errors."""


class BackendError(KBridgeError, ValueError):
    """The backend of a call can't be decided, isn't known, or isn't installed."""


class MixedFrameworksError(BackendError):
    """Tensors of two frameworks met in one call and no scope says which one runs it."""


class ForeignGradientError(BackendError):
    """A tensor that carries a gradient, or a tracer, would have been cut off from its framework."""


class ShapeError(KBridgeError, ValueError):
    """Shapes don't fit."""


class ArgumentError(KBridgeError, ValueError):
    """An argument has a value that the function can't work with."""


class DTypeError(KBridgeError, TypeError, ValueError):
    """An element type doesn't fit."""


class SymbolicError(KBridgeError, TypeError, ValueError, NotImplementedError):
    """A tensor without values was asked for them. Keras raises one or another of these, by the question."""


class NotBuiltError(KBridgeError, ValueError):
    """A layer or model is used before its weights exist."""


class LoadError(KBridgeError, ValueError):
    """A file can't be read safely or doesn't fit the object it is read into."""


class ExportError(KBridgeError, RuntimeError):
    """A model can't be written in the form asked for."""


class MissingDependencyError(KBridgeError, ImportError):
    """An optional library is needed and isn't installed."""


class DensifiedWarning(UserWarning):
    """A sparse tensor was made dense, because the op has no sparse form."""
