"""Run Keras's own test files against a package that re-implements the Keras API.

    python keras_suite.py --target kbridge --backend jax [paths...] [-n 2]

The test files are those shipped inside the installed keras wheel. They are
neither copied nor edited: each file is parsed, its `keras...` imports are
redirected (in memory) to the alias package `_ktest`, and the result is run.
`_ktest` knows only the *public* names of the target. A name `keras.src.a.b.c`
is looked up as follows (see `resolve`):

  1. a sub-module of the wheel           -> another alias module
  2. a small stand-in written here       (HELPERS: masks, lazy imports, ...)
  3. the official export list, i.e. the  `from keras.src.x import y as z` lines of
     the wheel's public __init__ files   -> target.<public namespace>.<z>
  4. an import inside the wheel's module -> follow it (read, never executed)
  5. the matching public namespace, by name; an op class such as `Add` becomes a
     thin wrapper over target.ops.add
  6. a literal constant of the wheel's module, or any public name that is unique
  7. otherwise a `Missing` object. A test that *uses* it is "failed" if Keras has
     a public name for it which the target lacks, and "unserved" if Keras has none

Only `keras.src.testing` (TestCase & co) and the test files themselves are
executed from the wheel. The real `keras` cannot be imported in the test process
unless --allow-keras is given. `--target keras` runs the plain, unaliased suite
(the baseline).

This file is the command line, and also the pytest plugin used by each worker.

Beside it lie
  ceiling.json        how many tests of each directory a perfect drop-in passes, per backend: what
                      `--target keras_public --allow-keras` counts, Keras itself through its public names
  left_out.txt        `pattern | reason` for each test that a drop-in could pass and kbridge doesn't
"""

import argparse
import ast
import collections
import contextlib
import faulthandler
import fnmatch
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import types
import unittest
import zlib

ALIAS = "_ktest"
TARGET = os.environ.get("KSUITE_TARGET", "keras")
BACKEND = os.environ.get("KSUITE_BACKEND", "jax")
TIMEOUT = int(os.environ.get("KSUITE_TIMEOUT", "120"))
# find_spec() of a top-level package locates it without importing it.
WHEEL = pathlib.Path(importlib.util.find_spec("keras").origin).parent
SRC = WHEEL / "src"
PLAIN = TARGET == "keras"


# --------------------------------------------------------------------------
# Reading (not importing) the wheel
# --------------------------------------------------------------------------


@functools.lru_cache(None)
def wheel_file(parts):
    """File of module keras.src.<parts>, or None."""
    base = SRC.joinpath(*parts)
    for f in (base.with_suffix(".py") if parts else base, base / "__init__.py"):
        if f.is_file():
            return f
    return None


@functools.lru_cache(None)
def wheel_ast(parts):
    return ast.parse(wheel_file(parts).read_text())


@functools.lru_cache(None)
def exports():
    """{(internal module, name): [public dotted names]} from the export lists."""
    table = collections.defaultdict(list)
    for f in sorted(WHEEL.rglob("__init__.py")):
        rel = f.parent.relative_to(WHEEL).parts
        if rel[:1] in (("src",), ("_tf_keras",)):
            continue
        for node in ast.parse(f.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                mod = tuple(node.module.split("."))
                if mod[:2] == ("keras", "src"):
                    for a in node.names:
                        public = ".".join((*rel, a.asname or a.name))
                        table[mod[2:], a.name].append(public)
    return table


@functools.lru_cache(None)
def namespaces():
    """Public namespaces of Keras ('' is the root)."""
    out = {n.rpartition(".")[0] for names in exports().values() for n in names}
    return sorted(out, key=lambda n: (n.count("."), n))


@functools.lru_cache(None)
def wheel_names(parts):
    """Imports, star imports and literal constants of a wheel module."""
    imports, stars, literals = {}, [], {}
    for node in ast.walk(wheel_ast(parts)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras.src"):
            mod = tuple(node.module.split("."))[2:]
            for a in node.names:
                if a.name == "*":
                    stars.append(mod)
                else:
                    imports.setdefault(a.asname or a.name, (mod, a.name))
    for node in wheel_ast(parts).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                literals[node.targets[0].id] = ast.literal_eval(node.value)
    return imports, stars, literals


# --------------------------------------------------------------------------
# Names of the target
# --------------------------------------------------------------------------


class NotPublic(Exception):
    """A test needs an internal name that no public Keras name stands for."""


class TargetLacks(Exception):
    """A test needs a public Keras name that the target does not have."""


@functools.lru_cache(None)
def target(ns=""):
    """The target's module for a public namespace, or None."""
    try:
        return importlib.import_module(TARGET + ("." + ns if ns else ""))
    except ModuleNotFoundError as e:
        if ns and e.name and e.name.startswith(TARGET):
            return None
        raise


def public(dotted):
    """target.<dotted>, or raise AttributeError."""
    ns, _, name = dotted.rpartition(".")
    mod = target(ns)
    if mod is None:
        raise AttributeError(f"no module {TARGET}.{ns}")
    return getattr(mod, name)


class Missing:
    """A name that cannot be served: harmless until a test uses it."""

    def __init__(self, name, public_name):
        self.__dict__.update(_name=name, _public=public_name)

    def _die(self, *args, **kwargs):
        if self._public:
            raise TargetLacks(f"{TARGET}.{self._public} does not exist")
        raise NotPublic(f"{self._name} has no public counterpart")

    __call__ = __iter__ = __len__ = __enter__ = __exit__ = _die
    __contains__ = __getitem__ = __setitem__ = __setattr__ = _die
    __instancecheck__ = __subclasscheck__ = _die

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self._die()

    def __repr__(self):
        return f"<unavailable: {self._name}>"

    def __mro_entries__(self, bases):  # `class Foo(Missing): ...`
        die = self._die
        return (type("Missing", (), {"__init__": lambda s, *a, **k: die()}),)


# Public namespaces searched by name, per top-level internal directory.
SEARCH = {
    "backend": ["backend", "config", "ops", "random", "utils", "distribution"],
    "ops": ["ops", "ops.numpy", "ops.nn", "ops.linalg", "ops.image"],
    "models": ["models", "utils"],
    "saving": ["saving", "models", "utils"],
    "trainers": ["utils"],
    "testing": [],
}


def op_key(name):
    return name.replace("_", "").lower()


# Op classes whose function is not simply the snake_case of the class name.
OP_NAMES = {
    "batchnorm": "batch_normalization",
    "layernorm": "layer_normalization",
    "rmsnorm": "rms_normalization",
}
# Op classes whose constructor arguments come before the call arguments.
CONFIG_FIRST = ("Einsum", "Full", "WhileLoop", "ForiLoop", "VectorizedMap")


@functools.lru_cache(None)
def op_class(name):
    """`Add` -> a class such that Add(**kw)(*args) is target.ops.add(*args, **kw)."""
    fn = None
    for ns in SEARCH["ops"] + ["random"]:
        mod = target(ns)
        names = [n for n in dir(mod) if n[0] != "_"] if mod else []
        table = {op_key(n): n for n in names}
        fn = table.get(op_key(OP_NAMES.get(op_key(name), name)))
        if fn and callable(getattr(mod, fn)):
            fn = getattr(mod, fn)
            break
        fn = None
    if fn is None:
        return None

    def init(self, *pos, **kw):
        kw.pop("name", None)
        self.pos, self.kw = pos, kw

    def call(self, *args, **kw):
        kw = {**self.kw, **kw}
        if name in CONFIG_FIRST:
            return fn(*self.pos, *args, **kw)
        return fn(*args, *self.pos, **kw)

    def symbolic_call(self, *args, **kw):
        if not any_symbolic_tensors(args, kw):
            args, kw = public("tree.map_structure")(as_symbolic, (args, kw))
        return call(self, *args, **kw)

    methods = {"__init__": init, "__call__": call, "call": call}
    methods["symbolic_call"] = methods["compute_output_spec"] = symbolic_call
    return type(name, (), methods)


def as_symbolic(x):
    """The KerasTensor of an eager tensor or a NumPy array; anything else unchanged."""
    if not public("ops.is_tensor")(x) and type(x).__name__ != "ndarray":
        return x
    kind = type(x).__name__
    return public("KerasTensor")(
        tuple(x.shape),
        dtype=public("backend.standardize_dtype")(x.dtype),
        sparse="Sparse" in kind or kind in ("BCOO", "BCSR"),
        ragged="Ragged" in kind,
    )


# --------------------------------------------------------------------------
# Stand-ins for a few tiny internals, built on public names only
# --------------------------------------------------------------------------


class LazyModule:
    """Optional third-party module, as keras.src.utils.module_utils has them."""

    def __init__(self, name):
        self._name = name

    @property
    def available(self):
        try:
            importlib.import_module(self._name)
            return True
        except ImportError:
            return False

    def __getattr__(self, name):
        return getattr(importlib.import_module(self._name), name)


def compute_output_spec(fn, *args, **kwargs):
    """Symbolic shape inference of any function, through a public layer."""
    layer = public("layers.Lambda")(lambda x: fn(*x[0], **x[1]))
    return layer.compute_output_spec((args, kwargs))


def set_keras_mask(x, mask):
    """Attach a mask; for eager tensors let a public layer do it its own way."""
    if mask is None or public("utils.is_keras_tensor")(x):
        x._keras_mask = mask
        return

    class Mask(public("layers.Layer")):
        def call(self, inputs):
            return x

        def compute_mask(self, inputs, previous_mask=None):
            return mask

    layer = Mask(autocast=False)
    layer.supports_masking = True
    layer(x)


def get_keras_mask(x):
    """Read a mask the way a layer receives it."""
    if hasattr(x, "_keras_mask") or public("utils.is_keras_tensor")(x):
        return getattr(x, "_keras_mask", None)
    masks = []

    class Mask(public("layers.Layer")):
        def call(self, inputs, mask=None):
            masks.append(mask)
            return inputs

    Mask(autocast=False)(x)
    return masks[0]


def any_symbolic_tensors(args=None, kwargs=None):
    flat = public("tree.flatten")((args or (), kwargs or {}))
    return any(public("utils.is_keras_tensor")(x) for x in flat)


def standardize_data_format(value=None):
    value = value or public("config.image_data_format")()
    value = str(value).lower()
    if value not in ("channels_first", "channels_last"):
        raise ValueError(f"The `data_format` argument is invalid: {value}")
    return value


def functional_class():
    x = public("Input")((1,))
    return type(public("Model")(x, x))


def trainer_class():
    """The internal base `Trainer` is public only as part of Model, and tests
    write `class M(Trainer, SomeLayer)`: let the layer's methods win."""
    model = public("Model")

    class Trainer(model):
        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__(**kwargs)
            others = [c for c in cls.__mro__ if not issubclass(model, c) and not issubclass(c, Trainer)]
            for name in vars(model).keys() | {"call", "build"}:
                owner = next((c for c in others if name in vars(c)), None)
                defined = any(name in vars(c) for c in cls.__mro__[: cls.__mro__.index(Trainer)])
                if owner and not defined and not name.startswith("__"):
                    setattr(cls, name, vars(owner)[name])

        def __init__(self, *args, **kwargs):
            model.__init__(self)

    return Trainer


def save_h5(model, path, overwrite=True, include_optimizer=True):
    model.save(path, overwrite=overwrite, include_optimizer=include_optimizer)


def load_h5(path, custom_objects=None, compile=True, safe_mode=True):
    return public("saving.load_model")(path, custom_objects, compile, safe_mode)


def exporter(format):
    return lambda model, path, *args, **kw: model.export(path, *args, format=format, **kw)


def conv_transpose_shape(
    input_shape,
    kernel_size,
    filters,
    strides,
    padding,
    output_padding=None,
    data_format="channels_last",
    dilation_rate=1,
):
    """Output shape of a transposed convolution, as the public layer gives it."""
    rank = len(input_shape) - 2
    if not isinstance(kernel_size, int):
        kernel_size = tuple(kernel_size)[:rank]
    layer = public(f"layers.Conv{rank}DTranspose")(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        output_padding=output_padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
    )
    return layer.compute_output_shape(tuple(input_shape))


def conv_transpose_pads(input_shape, kernel_shape, strides, padding, output_padding, dilation_rate):
    """(left, right) pads that make a stride-1 convolution over the dilated input
    produce that output shape (the tests' NumPy reference needs them)."""
    rank = len(input_shape) - 2
    kernel = kernel_shape[:rank]
    out = conv_transpose_shape(
        input_shape,
        kernel,
        kernel_shape[-2],
        strides,
        padding,
        output_padding,
        dilation_rate=dilation_rate,
    )
    pads = []
    for i in range(rank):
        stride = strides if isinstance(strides, int) else strides[i]
        rate = dilation_rate if isinstance(dilation_rate, int) else dilation_rate[i]
        reach = (kernel[i] - 1) * rate  # effective kernel size, minus one
        total = out[i + 1] - (input_shape[i + 1] - 1) * stride - 1 + reach
        left = reach if padding == "valid" else min(reach, (total + 1) // 2)
        pads.append((left, total - left))
    return pads


def torch_device():
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


# These files test internals that are stood in for here (helpers, op classes): a
# pass would say nothing about the target, so they are skipped.
STAND_IN_TESTS = (
    "backend/common/backend_utils_test.py",
    "backend/common/masking_test.py",
    "ops/ops_test.py",
    "utils/python_utils_test.py",
)
_CONV = "backend.common.backend_utils.compute_conv_transpose_"
HELPERS = {
    _CONV + "output_shape": conv_transpose_shape,
    _CONV + "padding_args_for_jax": conv_transpose_pads,
    "backend.compute_output_spec": compute_output_spec,
    "backend.common.keras_tensor.any_symbolic_tensors": any_symbolic_tensors,
    "backend.common.masking.get_keras_mask": get_keras_mask,
    "backend.common.masking.set_keras_mask": set_keras_mask,
    "backend.config.standardize_data_format": standardize_data_format,
    "backend.torch.core.get_device": torch_device,
    "export.litert._preserve_jax_x64_state": contextlib.nullcontext,
    "export.saved_model.export_saved_model": exporter("tf_saved_model"),
    "export.onnx.export_onnx": exporter("onnx"),
    "export.openvino.export_openvino": exporter("openvino"),
    "legacy.saving.legacy_h5_format.save_model_to_hdf5": save_h5,
    "legacy.saving.legacy_h5_format.load_model_from_hdf5": load_h5,
    "saving.saving_lib.save_weights_only": lambda model, path, **kw: model.save_weights(path, **kw),
    "saving.saving_lib.load_weights_only": lambda model, path, **kw: model.load_weights(path, **kw),
    "utils.backend_utils.convert_tf_tensor": lambda x, dtype=None: public("ops.convert_to_tensor")(x, dtype),
    "utils.python_utils.removesuffix": lambda s, suffix: s.removesuffix(suffix),
    "utils.summary_utils.print_summary": lambda model, *args, **kw: model.summary(*args, **kw),
}


# --------------------------------------------------------------------------
# resolve(): keras.src.<path>.<name> -> an object of the target
# --------------------------------------------------------------------------

BACKEND_PARTS = ("numpy", "random", "nn", "math", "linalg", "image", "core")


def alias_module(parts):
    return importlib.import_module(".".join((ALIAS, *parts)))


@functools.lru_cache(None)
def locate(path, name, depth=0):
    """Follow exports and imports; returns a function giving the object, or None."""
    dotted = ".".join((*path, name))
    if path == ("utils", "module_utils"):
        lazy = LazyModule({"dmtree": "tree"}.get(name, name))
        return lambda: lazy
    if path == ("backend",) and name in BACKEND_PARTS:
        return lambda: alias_module(("src", "backend", BACKEND, name))
    if wheel_file((*path, name)):
        return lambda: alias_module(("src", *path, name))
    if dotted in HELPERS:
        return lambda: HELPERS[dotted]
    if dotted == "models.functional.Functional":
        return functional_class
    if path[-1:] == ("trainer",) and name.endswith("Trainer"):
        return trainer_class
    for candidate in exports().get((path, name), ()):
        try:
            public(candidate)
            return lambda: public(candidate)
        except AttributeError:
            pass
    for mod, orig in steps(path, name) if depth < 10 else ():
        found = locate(mod, orig, depth + 1)
        if found:
            return found
    return None


def steps(path, name):
    """Where a wheel module may have imported `name` from."""
    if not wheel_file(path):
        return []
    imports, stars, _ = wheel_names(path)
    own = [m for m in stars if m[:1] != ("backend",) or m[1:2] == (BACKEND,)]
    found = [imports[name]] if name in imports else []
    return found + [(m, name) for m in own]


def spaces(path):
    """The public namespaces that match an internal module."""
    out = [".".join(path[:i]) for i in range(len(path), 0, -1)]
    if path[:1] == ("backend",) and path[-1] == "random":
        out.append("random")
    out += [*SEARCH.get(path[0] if path else "", []), ""]
    return [ns for ns in out if ns in namespaces()]


def search(path, name):
    for ns in spaces(path):
        try:
            return public((ns + "." if ns else "") + name)
        except AttributeError:
            pass
    raise AttributeError(name)


def keras_name(path, name, depth=0):
    """The public Keras name for an internal one, or None (target not asked)."""
    if (path, name) in exports():
        return exports()[path, name][0]
    for mod, orig in steps(path, name) if depth < 10 else ():
        found = keras_name(mod, orig, depth + 1)
        if found:
            return found
    names = {n for names in exports().values() for n in names}
    for ns in spaces(path):
        if (ns + "." if ns else "") + name in names:
            return (ns + "." if ns else "") + name
    if path[:1] == ("ops",) and name[:1].isupper():
        keys = {op_key(n[4:]): n for n in names if n.startswith("ops.")}
        return keys.get(op_key(OP_NAMES.get(op_key(name), name)))
    return None


@functools.lru_cache(None)
def resolve(path, name):
    found = locate(path, name)
    if found:
        try:
            return found()
        except AttributeError:  # the target lacks what a stand-in needs
            pass
    ops_like = path[:1] in (("ops",), ("random",))
    if ops_like and name[:1].isupper() and op_class(name):
        return op_class(name)
    try:
        return search(path, name)
    except AttributeError:
        pass
    if wheel_file(path) and name in wheel_names(path)[2]:
        return wheel_names(path)[2][name]
    for mod, orig in steps(path, name):
        if wheel_file(mod):
            obj = resolve(mod, orig)
            if not isinstance(obj, Missing):
                return obj
    hits = []
    for ns in namespaces():
        with contextlib.suppress(AttributeError):
            hits.append(public((ns + "." if ns else "") + name))
    if hits and all(h is hits[0] for h in hits):
        return hits[0]
    dotted = ".".join(("keras", "src", *path, name))
    return Missing(dotted, keras_name(path, name))


class AliasModule(types.ModuleType):
    """`_ktest`, `_ktest.src`, `_ktest.src.layers`, ... all made on demand."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        parts = tuple(self.__name__.split("."))[1:]
        if not parts and name == "src":
            return alias_module(("src",))
        if parts[:1] != ("src",):  # a public module: exactly the target's
            return public(".".join((*parts, name)))
        return resolve(parts[1:], name)

    def __setattr__(self, name, value):
        if not isinstance(value, AliasModule):  # no binding of sub-modules
            super().__setattr__(name, value)

    def __dir__(self):
        parts = tuple(self.__name__.split("."))[1:]
        ns = ".".join(parts[1:] if parts[:1] == ("src",) else parts)
        names = dir(target(ns)) if ns in namespaces() and target(ns) else []
        return sorted(set(names) | set(self.__dict__))


class AliasFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves the alias modules (and test files imported by other test files)."""

    def find_spec(self, name, path=None, target_module=None):
        parts = tuple(name.split("."))
        if parts[0] != ALIAS:
            return None
        if parts[1:2] == ("src",):
            exists = len(parts) == 2 or wheel_file(parts[2:])
        else:
            exists = len(parts) == 1 or ".".join(parts[1:]) in namespaces()
        if not exists:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        parts = tuple(spec.name.split("."))[2:]
        if parts and (parts[0] == "testing" or parts[-1].endswith("_test")):
            return load_source(wheel_file(parts))
        return AliasModule(spec.name)

    def exec_module(self, module):
        pass


class KerasBlocker(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`import keras` fails; find_spec("keras") still works (TensorFlow needs it)."""

    def find_spec(self, name, path=None, target_module=None):
        if name != "keras":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        spec.loader = self
        return spec

    def create_module(self, spec):
        raise ModuleNotFoundError("the real keras is blocked", name="keras")

    def exec_module(self, module):
        pass


# --------------------------------------------------------------------------
# Loading test files
# --------------------------------------------------------------------------


class Redirect(ast.NodeTransformer):
    """keras -> _ktest in imports and in the strings given to mock.patch()."""

    def swap(self, name):
        return re.sub(r"^keras(?=\.|$)", ALIAS, name or "")

    def visit_Import(self, node):
        for a in node.names:
            new = self.swap(a.name)
            if new != a.name:
                if a.asname is None:
                    new, a.asname = ALIAS, "keras"
                a.name = new
        return node

    def visit_ImportFrom(self, node):
        if not node.level:
            node.module = self.swap(node.module)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        fn = node.func
        called = getattr(fn, "attr", getattr(fn, "id", None))
        if called == "patch" and node.args:
            arg = node.args[0]
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
                arg.value = self.swap(arg.value)
        return node


def load_source(path):
    """Run a wheel file with redirected imports, under its usual module name."""
    path = pathlib.Path(path)
    parts = path.relative_to(SRC).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    name = ".".join(("keras", "src", *parts))
    if PLAIN:
        return importlib.import_module(name)
    if name in sys.modules:
        return sys.modules[name]
    module = types.ModuleType(name)
    module.__file__ = str(path)
    # Known under its usual name: pickling and un-registered custom classes
    # of the tests are found by `import_module(cls.__module__)`.
    sys.modules[name] = module
    try:
        tree = Redirect().visit(ast.parse(path.read_text()))
        exec(compile(tree, str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    if parts == ("testing",):  # `from keras.src.testing import test_utils`
        module.__getattr__ = lambda n: submodule((*parts, n))
    if parts == ("testing", "test_case"):
        module.get_seed_generators = functools.partial(seed_generators, module.get_seed_generators)
    return module


def submodule(parts):
    if parts[-1].startswith("__") or not wheel_file(parts):
        raise AttributeError(parts[-1])
    return load_source(wheel_file(parts))


def seed_generators(original, layer):
    """TestCase's helper reads private attributes; fall back to a plain walk."""
    try:
        return original(layer)
    except AttributeError:
        found, seen, todo = [], set(), [layer]
        while todo:
            x = todo.pop()
            if id(x) in seen:
                continue
            seen.add(id(x))
            if isinstance(x, public("random.SeedGenerator")):
                found.append(x)
            elif isinstance(x, (list, tuple, set)):
                todo.extend(x)
            elif isinstance(x, dict):
                todo.extend(x.values())
            elif isinstance(x, public("layers.Layer")):
                todo.extend(vars(x).values())
        return found


def make_conftest():
    """Some test files do `from conftest import skip_if_backend`."""
    import pytest

    conftest = types.ModuleType("conftest")
    conftest.skip_if_backend = lambda name, reason: pytest.mark.skipif(BACKEND == name, reason=reason)
    sys.modules["conftest"] = conftest


# --------------------------------------------------------------------------
# pytest plugin
# --------------------------------------------------------------------------


class Plugin:
    """Collects with load_source(), times tests out, records outcomes."""

    def __init__(self, config):
        import pytest

        self.pytest = pytest
        self.worker = hasattr(config, "workerinput")

        class TestFile(pytest.Module):
            def importtestmodule(self):
                return load_source(self.path)

            _getobj = importtestmodule

            def collect(self):
                skips = (unittest.SkipTest, pytest.skip.Exception)
                try:
                    _ = self.obj
                except skips:
                    raise
                except Exception as e:
                    return [Unimportable.from_parent(self, name=n, reason=e) for n in test_names(self.path)]
                return super().collect()

        class Unimportable(pytest.Item):
            """Each test of a file that cannot be imported: an error."""

            def __init__(self, reason, **kw):
                super().__init__(**kw)
                self.reason = reason

            def runtest(self):
                raise self.reason

            def repr_failure(self, excinfo):
                return f"import error: {self.reason!r}"

        self.TestFile, self.Unimportable = TestFile, Unimportable

    def pytest_collect_directory(self, path, parent):
        # A plain directory: pytest must not import keras/src/**/__init__.py
        return self.pytest.Dir.from_parent(parent, path=path)

    def pytest_pycollect_makemodule(self, module_path, parent):
        return self.TestFile.from_parent(parent, path=module_path)

    def pytest_collection_modifyitems(self, items):
        pytest = self.pytest
        n = int(os.environ["KSUITE_SAMPLE"])
        devices = 1
        if BACKEND == "jax":
            import jax

            devices = jax.device_count()
        no_training = pytest.mark.skip(reason="backend cannot train")
        one_device = pytest.mark.skip(reason="requires multiple devices")
        for item in items:
            # xdist workers must agree on ids: no memory addresses in them.
            if "0x" in item.nodeid:
                set_nodeid(item, re.sub("0x[0-9a-f]+", "0x", item.nodeid))
            if "requires_trainable_backend" in item.keywords and BACKEND in ("numpy", "openvino"):
                item.add_marker(no_training)
            if "multi_device" in item.keywords and devices < 2:
                item.add_marker(one_device)
            if not PLAIN and item.nodeid.startswith(STAND_IN_TESTS):
                item.add_marker(pytest.mark.skip(reason="tests a stand-in"))
        items[:] = [i for i in items if in_sample(i.nodeid, n)]
        if os.environ.get("KSUITE_NOT_PASSED_IN"):
            with open(os.environ["KSUITE_NOT_PASSED_IN"]) as f:
                wanted = {k for k, v in json.load(f).items() if v[0] != "passed"}
            items[:] = [i for i in items if i.nodeid in wanted]

    def pytest_runtest_protocol(self, item):
        """Timeout: SIGALRM; if stuck in C code, the worker is killed."""

        def alarm(*_):
            raise TimeoutError(f"test ran for more than {TIMEOUT} s")

        signal.signal(signal.SIGALRM, alarm)
        signal.alarm(TIMEOUT)
        faulthandler.dump_traceback_later(2 * TIMEOUT, exit=True)

    def pytest_runtest_logfinish(self):
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()

    def pytest_runtest_makereport(self, item, call):
        """Tell 'unserved' (harness) and 'error' from 'failed' (target)."""
        if call.excinfo is None or call.excinfo.errisinstance(self.pytest.skip.Exception):
            return
        e, kind = call.excinfo.value, "failed"
        if isinstance(item, self.Unimportable) or call.when != "call":
            kind = "error"
        while e is not None:
            if isinstance(e, NotPublic):
                kind = "unserved"
            e = e.__cause__ or e.__context__
        item.user_properties.append(("kind", kind))
        item.user_properties.append(("why", repr(call.excinfo.value)[:300]))

    def record(self, nodeid, kind, seconds=0.0, why=""):
        """One JSON line per result, so that a cut-off run keeps its results."""
        with open(os.environ["KSUITE_OUT"], "a") as f:
            f.write(json.dumps([nodeid, kind, round(seconds, 2), why]) + "\n")

    def pytest_runtest_logreport(self, report):
        if self.worker:
            return
        props = dict(report.user_properties)
        if report.failed:  # no "kind": the worker crashed
            why = props.get("why", str(report.longrepr)[:300])
            kind = props.get("kind", "error")
            self.record(report.nodeid, kind, report.duration, why)
        elif report.skipped:
            self.record(report.nodeid, "skipped")
        elif report.when == "call":
            self.record(report.nodeid, "passed", report.duration)

    def pytest_collectreport(self, report):
        if report.failed and not self.worker:
            self.record(report.nodeid, "error", why=str(report.longrepr)[-300:])


def in_sample(nodeid, n):
    """A fixed choice of one test in n, the same for every target."""
    return zlib.crc32(nodeid.encode()) % n == 0


def set_nodeid(item, nodeid):
    try:  # pytest >= 9.2
        from _pytest.nodeid import coerce_node_id

        item._id = coerce_node_id(nodeid)
    except ImportError:
        item._nodeid = nodeid


def test_names(path):
    """Names of the test methods of a file (parametrized ones counted once)."""
    names = []
    for node in ast.parse(path.read_text()).body:
        for fn in [node, *getattr(node, "body", [])]:
            if isinstance(fn, ast.FunctionDef) and fn.name.startswith("test"):
                cls = node.name + "::" if fn is not node else ""
                names.append(cls + fn.name)
    return names


def pytest_configure(config):
    for m in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", m)
    if hasattr(config, "workerinput") or not config.getoption("numprocesses"):
        if BACKEND == "torch" or PLAIN:
            with contextlib.suppress(ImportError):
                import torch  # noqa: F401  (must come before tensorflow)
        if not PLAIN:
            if not os.environ.get("KSUITE_ALLOW_KERAS"):
                sys.meta_path.insert(0, KerasBlocker())
            sys.meta_path.insert(0, AliasFinder())
            target()
        make_conftest()
    config.pluginmanager.register(Plugin(config), "ksuite")


# --------------------------------------------------------------------------
# Command line
# --------------------------------------------------------------------------

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ("passed", "failed", "error", "unserved", "skipped")


def table(outcomes, baseline=None):
    """Per-directory counts; with a baseline, also the share of its passes."""
    rows = collections.defaultdict(collections.Counter)
    passes = collections.defaultdict(set)
    for test, (kind, *_) in outcomes.items():
        for row in (test.split("/")[0], "total"):
            rows[row][kind] += 1
            if kind == "passed":
                passes[row].add(test)
    base = collections.defaultdict(set)
    for test, (kind, *_) in (baseline or {}).items():
        if kind == "passed":
            for row in (test.split("/")[0], "total"):
                base[row].add(test)
    lines = [f"{'directory':16}" + "".join(f"{k:>10}" for k in KINDS)]
    if baseline:
        lines[0] += f"{'plain':>10}{'ratio':>8}"
    order = [*sorted(set(rows) - {"total"}), "total"]
    for row in order:
        line = f"{row:16}" + "".join(f"{rows[row][k]:10}" for k in KINDS)
        if baseline:
            n, both = len(base[row]), len(base[row] & passes[row])
            line += f"{n:10}{100 * both / n if n else 100:7.1f}%"
        lines.append(line)
    return "\n".join(lines)


def ceiling(outcomes, backend, paths):
    """A line for each whole directory that was run, and for all: its passes and the most there can be."""
    with open(HERE / "ceiling.json") as f:
        most = json.load(f)[backend]
    passed = [test for test, (kind, *_) in outcomes.items() if kind == "passed"]
    counts = [(path, sum(test.startswith(f"{path}/") for test in passed), most[path]) for path in paths if path in most]
    if counts:
        counts.append(("all", sum(n for _, n, _ in counts), sum(n for _, _, n in counts)))
    return "\n".join(f"{path:16}{n:10} of {m} that a drop-in passes: {100 * n / m:.1f} %" for path, n, m in counts)


def unexplained(outcomes):
    """The failures that left_out.txt doesn't name."""
    with open(HERE / "left_out.txt") as f:
        patterns = [line.partition(" | ")[0] for line in f if " | " in line]
    failed = sorted(test for test, (kind, *_) in outcomes.items() if kind in ("failed", "error"))
    return [test for test in failed if not any(fnmatch.fnmatchcase(test, pattern) for pattern in patterns)]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("paths", nargs="*", help="relative to keras/src; default: all")
    p.add_argument("--target", required=True, help="package; `keras` = plain run")
    p.add_argument(
        "--backend",
        default="jax",
        choices=["jax", "torch", "tensorflow", "numpy", "openvino"],
    )
    p.add_argument("-n", type=int, default=2, help="workers")
    p.add_argument("--timeout", type=int, default=120, help="seconds per test")
    p.add_argument("--json", help="write per-test outcomes here")
    p.add_argument("--baseline", help="JSON of a `--target keras` run to compare")
    p.add_argument("--sample", type=int, default=1, help="run one test in N (a fixed choice)")
    p.add_argument("--redo", help="only tests that did not pass in this JSON")
    p.add_argument("-k", help="pytest -k expression")
    p.add_argument("--allow-keras", action="store_true")
    p.add_argument("-v", action="store_true", help="show pytest's own output")
    args = p.parse_args()

    handle, out = tempfile.mkstemp(suffix=".json")
    os.close(handle)
    here = str(pathlib.Path(__file__).resolve().parent)
    env = dict(
        os.environ,
        KSUITE_TARGET=args.target,
        KSUITE_BACKEND=args.backend,
        KSUITE_TIMEOUT=str(args.timeout),
        KSUITE_ALLOW_KERAS="1" if args.allow_keras else "",
        KSUITE_OUT=out,
        KSUITE_SAMPLE=str(args.sample),
        KSUITE_NOT_PASSED_IN=os.path.abspath(args.redo) if args.redo else "",
        KERAS_BACKEND=args.backend,
        KBRIDGE_BACKEND=args.backend,
        PYTHONPATH=os.pathsep.join(filter(None, [here, os.getcwd(), os.environ.get("PYTHONPATH")])),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONHASHSEED="0",
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    for var in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        env.setdefault(var, "1")
    cmd = [sys.executable, "-m", "pytest", "-p", "keras_suite", "-q"]
    cmd += ["-c", os.devnull, f"--rootdir={SRC}", "--import-mode=importlib"]
    cmd += ["-o", "python_files=*_test.py", "--continue-on-collection-errors"]
    cmd += ["-p", "no:cacheprovider", "-p", "no:faulthandler"]
    cmd += ["-W", "ignore", "--no-header"]
    cmd += ["-n", str(args.n), "--dist", "worksteal"] if args.n else []
    cmd += ["-k", args.k] if args.k else []
    cmd += [] if args.v else ["--tb=no", "-r", "N"]
    cmd += [str(SRC / path) for path in args.paths or ["."]]
    start = time.time()
    proc = subprocess.Popen(cmd, env=env, stdout=None if args.v else subprocess.DEVNULL)
    # Stopped early (Ctrl-C, kill): end pytest, report what there is.
    signal.signal(signal.SIGTERM, lambda *_: proc.terminate())
    try:
        proc.wait()
    except KeyboardInterrupt:
        proc.terminate()
        proc.wait()
    with open(out) as f:
        results = [json.loads(line) for line in f]
    os.unlink(out)
    outcomes = {}
    for test, *result in results:  # a teardown error overrides a pass
        outcomes[test] = result
    if args.json:
        with open(args.json, "w") as f:
            json.dump(outcomes, f, indent=0, sort_keys=True)
    baseline = None
    if args.baseline:
        with open(args.baseline) as f:
            baseline = json.load(f)
        baseline = {k: v for k, v in baseline.items() if in_sample(k, args.sample)}
        if args.paths:
            keep = tuple(os.path.normpath(x) for x in args.paths)
            baseline = {k: v for k, v in baseline.items() if k.startswith(keep)}
    print(f"target={args.target} backend={args.backend}")
    print(table(outcomes, baseline))
    if args.target == "kbridge":
        if args.sample == 1 and not args.k and not args.redo:
            print(ceiling(outcomes, args.backend, args.paths))
        left = unexplained(outcomes)
        print(f"{len(left)} failures without a reason in left_out.txt", *left, sep="\n  ")
    print(f"{time.time() - start:.0f} s")
    return int(args.target == "kbridge" and bool(left))


if __name__ == "__main__":
    sys.exit(main())
