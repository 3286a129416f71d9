"""What the tests of all exporters of a TensorFlow function ask."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from kbridge.core.errors import ExportError, MissingDependencyError
from tests.adapters.tf_cases import arrays, expected, module_of

TOLERANCE = 1e-5


def assert_same(got, want, wide_integers=True):
    """Equal shapes, dtypes and values; a runtime without int64 gives int32."""
    assert len(got) == len(want)
    for mine, theirs in zip(got, want, strict=True):
        dtype = "int32" if theirs.dtype == "int64" and not wide_integers else theirs.dtype
        assert (mine.shape, mine.dtype) == (theirs.shape, dtype)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=TOLERANCE)


def assert_runs(case, write, run, path, **how):
    """One artefact gives TensorFlow's own results for two batch sizes."""
    module, function = module_of(case)
    write(module, function, path)
    runner = run(path)
    assert [port.name for port in runner.inputs] == list(case.inputs)
    for batch in (1, 3):
        inputs = arrays(case, batch)
        assert_same(runner(inputs), expected(function, inputs), **how)


def function_of(function, *shape, dtype="float32"):
    """A module and the concrete function of one input `x` with a free batch."""
    module = tf.Module()
    signature = [tf.TensorSpec([None, *shape], dtype, "x")]
    module.serve = tf.function(function, input_signature=signature)
    return module, module.serve.get_concrete_function()


def assert_refused(write, path, module, function, text):
    """An export that fails says why, leaves an earlier artefact alone and leaves nothing else."""
    write(*function_of(lambda x: x * 2.0, 2), path)
    before = snapshot(path.parent)
    with pytest.raises(ExportError, match=text):
        write(module, function, path)
    assert snapshot(path.parent) == before


def snapshot(folder):
    """The bytes of every file below a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_missing(monkeypatch, library, action):
    """Without `library` the action says what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, library, None)
    line = rf'{library} is not installed. Run: pip install "kbridge\[export\]"'
    with pytest.raises(MissingDependencyError, match=line):
        action()
