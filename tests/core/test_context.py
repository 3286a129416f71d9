"""Who decides where a call runs: the scope, then the tensors, then the process default."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

from kbridge.core import context
from kbridge.core.context import backend, backend_scope, framework_of, load_backend, running, set_backend
from kbridge.core.errors import BackendError, MissingDependencyError, MixedFrameworksError
from kbridge.core.ops.elementwise import add, exp, multiply
from kbridge.core.ops.linalg import matmul
from kbridge.core.ops.shape import concatenate, convert_to_tensor
from kbridge.core.tensor.variable import Variable

FRAMEWORKS = ("jax", "torch", "tensorflow")
TENSORS = {"jax": lambda: jnp.ones(3), "torch": lambda: torch.ones(3), "tensorflow": lambda: tf.ones(3)}


@pytest.fixture
def default() -> Any:
    """Lets a test change the process default."""
    before = context.default_backend()
    yield
    set_backend(before)


# --- who decides ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_tensors_decide(name: str, default: Any) -> None:
    set_backend("numpy")
    tensor = TENSORS[name]()
    assert framework_of(exp(tensor)) == name
    assert framework_of(add(np.ones(3, "float32"), tensor)) == name
    assert framework_of(multiply(2.0, tensor)) == name
    assert framework_of(concatenate([np.ones(3, "float32"), tensor])) == name


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_scope_comes_before_tensors(name: str) -> None:
    for other in FRAMEWORKS:
        with backend_scope(name):
            assert framework_of(exp(TENSORS[other]())) == name
            assert backend() == name


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_default_decides_for_host_arrays(name: str, default: Any) -> None:
    set_backend(name)
    assert backend() == name
    assert framework_of(exp(np.ones(3))) == name
    assert framework_of(exp([1.0, 2.0])) == name
    assert framework_of(convert_to_tensor(1.0)) == name


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_variables_home_decides_beside_numbers(name: str, default: Any) -> None:
    set_backend("numpy")
    variable = Variable(np.ones(3, "float32"))
    with running(load_backend(name)):
        assert framework_of(variable.value) == name
    assert framework_of(multiply(variable, 2.0)) == name
    assert isinstance(multiply(variable, np.ones(3, "float32")), np.ndarray)


def test_two_frameworks_in_one_call() -> None:
    for first, second in [("jax", "torch"), ("torch", "tensorflow"), ("tensorflow", "jax")]:
        with pytest.raises(MixedFrameworksError, match=rf'{first} and of {second}.*backend_scope\("{first}"\)'):
            add(TENSORS[first](), TENSORS[second]())
        with backend_scope(first):
            assert framework_of(add(TENSORS[first](), TENSORS[second]())) == first


def test_scopes_nest_and_end_with_an_error() -> None:
    before = backend()
    with backend_scope("jax"):
        with contextlib.suppress(KeyError), backend_scope("torch"):
            assert backend() == "torch"
            raise KeyError
        assert backend() == "jax"
    assert backend() == before


def test_a_scope_inside_a_running_call() -> None:
    with running(load_backend("numpy")):
        with backend_scope("torch"):
            assert framework_of(exp(np.ones(2))) == "torch"
        assert isinstance(exp(np.ones(2)), np.ndarray)


def test_unknown_name() -> None:
    for use in (set_backend, load_backend, lambda name: backend_scope(name).__enter__()):
        with pytest.raises(
            BackendError, match=r"Unknown backend 'theano'\. Choose one of jax, torch, tensorflow, numpy"
        ):
            use("theano")
    assert backend() in ("numpy", *FRAMEWORKS)


def test_framework_of_looks_at_classes() -> None:
    class Mine(torch.Tensor):
        pass

    assert framework_of(torch.ones(1).as_subclass(Mine)) == "torch"
    assert framework_of(torch.nn.Parameter(torch.ones(1))) == "torch"
    assert framework_of(tf.Variable(1.0)) == "tensorflow"
    assert framework_of(torch.float32) is None
    assert framework_of(tf.float32) is None
    assert framework_of(jnp.float32) is None
    assert framework_of(np.ones(1)) is None
    assert framework_of("torch") is None


# --- threads --------------------------------------------------------------------------------------


def test_two_threads_on_two_backends() -> None:
    meet = threading.Barrier(len(FRAMEWORKS), timeout=60)

    def work(name: str) -> set[Any]:
        seen = set()
        with backend_scope(name):
            for _ in range(50):
                meet.wait()
                seen.add(framework_of(matmul(np.ones((2, 2)), exp(np.ones((2, 2))))))
        return seen

    with ThreadPoolExecutor(len(FRAMEWORKS)) as pool:
        assert list(pool.map(work, FRAMEWORKS)) == [{name} for name in FRAMEWORKS]


def test_tensors_decide_in_each_thread() -> None:
    meet = threading.Barrier(len(FRAMEWORKS), timeout=60)

    def work(name: str) -> set[Any]:
        tensor = TENSORS[name]()
        return {(meet.wait(), framework_of(exp(add(tensor, 1))))[1] for _ in range(50)}

    with ThreadPoolExecutor(len(FRAMEWORKS)) as pool:
        assert list(pool.map(work, FRAMEWORKS)) == [{name} for name in FRAMEWORKS]


def test_a_scope_stays_in_its_thread() -> None:
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with backend_scope("torch"):
            inside.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(60)
    outside = backend()
    done.set()
    thread.join()
    assert outside == context.default_backend()


# --- loading --------------------------------------------------------------------------------------


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def test_no_framework_is_imported_before_its_use() -> None:
    printed = run_python(
        """
        import sys
        from kbridge.core.ops import activate, elementwise
        from kbridge.core.context import backend_scope
        with backend_scope("numpy"):
            activate.softmax(elementwise.exp([1.0, 2.0]))
        print([name for name in ("torch", "jax", "tensorflow", "keras") if name in sys.modules])
        """
    )
    assert printed == "[]"


def test_a_framework_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.delattr(context._loaded, "torch", raising=False)
    monkeypatch.setattr(context.importlib, "import_module", fail)
    with pytest.raises(
        MissingDependencyError, match=r'needs torch, which is not installed: pip install "kbridge\[torch\]"'
    ):
        load_backend("torch")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "trace"),
    [
        ("jax", "import jax, jax.numpy as jnp; jax.jit(f)(jnp.ones(2)); x = jnp.ones(2)"),
        ("tensorflow", "import tensorflow as tf; tf.function(f, autograph=False)(tf.ones(2)); x = tf.ones(2)"),
        ("torch", "import torch; x = torch.ones(2); torch.compile(f, fullgraph=True, backend='eager')(x)"),
    ],
)
def test_a_backend_may_be_loaded_in_the_middle_of_a_trace(name: str, trace: str) -> None:
    """The first call of all is inside jit or tf.function; what is learnt there must hold outside."""
    printed = run_python(
        f"""
        from kbridge.core.context import load_backend
        from kbridge.core.ops.elementwise import exp
        f = exp
        {trace}
        backend = load_backend({name!r})
        print(type(x) in backend.ready, type(exp(x)) is type(x), backend.to_numpy(x).sum())
        """
    )
    assert printed == "True True 2.0"
