"""Process-wide settings: float type, epsilon, image layout, and where the default backend comes from."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

from kbridge.core.errors import BackendError

BACKENDS = ("jax", "torch", "tensorflow", "numpy")  # the order in which an installed one is preferred
FLOATS = ("bfloat16", "float16", "float32", "float64")
IMAGE_DATA_FORMATS = ("channels_last", "channels_first")

RNGS = ("native", "portable")

_values: dict[str, object] = {
    "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last", "rng": "native",
    "traceback_filtering": True, "flash_attention": None,
}  # fmt: skip


def _config_file() -> dict[str, object]:
    """`~/.kbridge/kbridge.json`, read but never written by us."""
    folder = os.environ.get("KBRIDGE_HOME")
    path = (Path(folder) if folder else Path.home() / ".kbridge") / "kbridge.json"
    try:
        stored = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BackendError(f"{path} can't be read as JSON ({error}). Mend or remove it.") from error
    if not isinstance(stored, dict):
        raise BackendError(f"{path} must hold a JSON object, not {type(stored).__name__}.")
    return stored


def check_backend_name(name: str, source: str = "") -> str:
    """`name` when it is a backend's name, else an error that lists them."""
    if name in BACKENDS:
        return name
    origin = f" (from {source})" if source else ""
    raise BackendError(f"Unknown backend {name!r}{origin}. Choose one of {', '.join(BACKENDS)}.")


def starting_backend() -> str:
    """The backend for plain arrays before `set_backend`: environment, then file, then what is installed."""
    for variable in ("KBRIDGE_BACKEND", "KERAS_BACKEND"):
        if name := os.environ.get(variable):
            return check_backend_name(name, variable)
    if stored := _config_file().get("backend"):
        return check_backend_name(str(stored), "kbridge.json")
    return next(name for name in BACKENDS if find_spec(name) is not None)


def floatx() -> str:
    """Default float type, as a string.

    >>> floatx()
    'float32'
    """
    return str(_values["floatx"])


def set_floatx(value: str) -> None:
    """Set the default float type: one of bfloat16, float16, float32, float64."""
    if value not in FLOATS:
        raise ValueError(f"Unknown float type {value!r}. Choose one of {', '.join(FLOATS)}.")
    _values["floatx"] = value


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite.

    >>> epsilon()
    1e-07
    """
    return float(_values["epsilon"])  # type: ignore[arg-type]


def set_epsilon(value: float) -> None:
    """Set the value that `epsilon()` returns."""
    _values["epsilon"] = float(value)


def image_data_format() -> str:
    """Default image layout: `channels_last` or `channels_first`.

    >>> image_data_format()
    'channels_last'
    """
    return str(_values["image_data_format"])


def set_image_data_format(value: str) -> None:
    """Set the layout that image layers use when none is given."""
    _values["image_data_format"] = check_data_format(value)


def check_data_format(value: str | None) -> str:
    """`value`, or the default where it is None; an error if it is no image layout."""
    value = value or image_data_format()
    if value not in IMAGE_DATA_FORMATS:
        raise ValueError(f"Unknown data_format {value!r}. Choose one of {', '.join(IMAGE_DATA_FORMATS)}.")
    return value


def rng() -> str:
    """Who draws random numbers: `native`, each framework's fast generator, or `portable`, the same on all."""
    return str(_values["rng"])


def set_rng(value: str) -> None:
    """Choose who draws random numbers from now on. Steps that are compiled already keep their choice.

    Args:
        value: "native" (the default): the framework's own generator. "portable": one written in ops, which gives
            the same numbers on every backend, so that a training run with dropout repeats across frameworks.

    Raises:
        ValueError: it is neither.
    """
    if value not in RNGS:
        raise ValueError(f"Unknown generator {value!r}. Choose one of {', '.join(RNGS)}.")
    _values["rng"] = value


def is_flash_attention_enabled() -> bool | None:
    """What attention does that isn't told: None, flash attention where the framework takes it; False, never."""
    return _values["flash_attention"]  # type: ignore[return-value]


def enable_flash_attention() -> None:
    """Let the framework take its flash attention where that runs, as it does at first."""
    _values["flash_attention"] = None


def disable_flash_attention() -> None:
    """Keep attention from flash attention, unless a call asks for it."""
    _values["flash_attention"] = False


def is_traceback_filtering_enabled() -> bool:
    """What was asked for last. kbridge's calls are few frames deep and are always shown."""
    return bool(_values["traceback_filtering"])


def enable_traceback_filtering() -> None:
    """Kept for programs that call it: kbridge hides no frames."""
    _values["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Kept for programs that call it: kbridge hides no frames."""
    _values["traceback_filtering"] = False
