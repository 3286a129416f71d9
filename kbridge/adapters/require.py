"""Import of an optional library, with one clear line when it isn't there."""

import importlib
from importlib.util import find_spec
from types import ModuleType

from kbridge.core.errors import MissingDependencyError


def require(module_name: str, extra: str) -> ModuleType:
    """The module called `module_name`, imported now.

    Args:
        module_name: dotted name, such as `"tf2onnx.convert"`.
        extra: the group of kbridge's optional dependencies that brings it, such as `"export"`.

    Raises:
        MissingDependencyError: the library isn't installed, or is installed and doesn't import.

    >>> require("json", "export").dumps([1])
    '[1]'
    """
    library = module_name.partition(".")[0]
    try:
        return importlib.import_module(module_name)
    except ImportError as problem:
        missing = (getattr(problem, "name", None) or "").partition(".")[0]
        if isinstance(problem, ModuleNotFoundError) and missing == library:
            raise MissingDependencyError(_not_installed(library, extra)) from problem
        what = f"{library} is installed and fails to import ({problem})."
        raise MissingDependencyError(f'{what} Run: pip install "kbridge[{extra}]"') from problem


def check_installed(library: str, extra: str) -> None:
    """Refuse a library that isn't installed, without importing it.

    Raises:
        MissingDependencyError: see `require`.

    >>> check_installed("json", "export")
    """
    if find_spec(library) is None:
        raise MissingDependencyError(_not_installed(library, extra))


def _not_installed(library: str, extra: str) -> str:
    return f'{library} is not installed. Run: pip install "kbridge[{extra}]"'
