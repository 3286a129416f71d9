"""What importing kbridge brings with it, and what it refuses to bring."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import kbridge

FRAMEWORKS = {"torch", "jax", "jaxlib", "tensorflow", "keras", "flax", "optax", "tf2onnx", "onnxruntime"}
FACADES = sorted(
    path.stem for path in Path(kbridge.__file__).parent.glob("*.py") if path.stem not in ("__init__", "cli")
)


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "import kbridge",
        "import kbridge; [getattr(kbridge, name) for name in dir(kbridge)]",
        "import kbridge.cli",
        "import kbridge; x = kbridge.Input((3,)); kbridge.Model(x, kbridge.layers.Dense(2)(x)).summary()",
    ],
)
def test_loads_no_framework(code: str) -> None:
    shown = run_python(f"import sys; {code}; print(sorted({FRAMEWORKS!r} & set(sys.modules)))")
    assert shown.splitlines()[-1] == "[]"


def test_building_a_model_uses_no_framework() -> None:
    code = (
        "import sys, numpy as np, kbridge as keras; keras.set_backend('numpy'); "
        "m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]); "
        f"m(np.ones((2, 4))); print(sorted({FRAMEWORKS!r} & set(sys.modules)))"
    )
    assert run_python(code) == "[]"


@pytest.mark.parametrize("name", FACADES)
def test_facades_only_list_names(name: str) -> None:
    """A facade is imports and nothing else, so that a public name leads straight to its code."""
    import ast

    path = Path(kbridge.__file__).parent / f"{name}.py"
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign)
    for node in ast.parse(path.read_text()).body:
        assert isinstance(node, allowed), f"{path.name}:{node.lineno} holds code"


def test_unknown_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        kbridge.nonsense  # noqa: B018
