"""Sparse tensors on the frameworks that have them, and TensorFlow's ragged ones: the dense result is the oracle."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from jax.experimental import sparse as jax_sparse

import kbridge
from kbridge import layers, ops
from kbridge.core.errors import ArgumentError, DensifiedWarning, ShapeError
from kbridge.core.ops import storage

FRAMEWORKS = ("jax", "torch", "tensorflow")
A = np.array([[0, 2, 0, -0.5], [0.25, 0, -1, 0], [0, 0, 0, 0]], "float32")
B = np.array([[0, 1, 4, 0], [2, 0, -1, 0], [0, 0, 0, 3]], "float32")
SPARSE = {
    "jax": lambda a: jax_sparse.BCOO.fromdense(a),
    "torch": lambda a: torch.tensor(a).to_sparse(),
    "tensorflow": lambda a: tf.sparse.from_dense(a),
}
DENSE = {"jax": jnp.asarray, "torch": torch.tensor, "tensorflow": tf.constant}
frameworks = pytest.mark.parametrize("framework", FRAMEWORKS)


def is_sparse(x: Any) -> bool:
    return isinstance(x, (tf.SparseTensor, tf.IndexedSlices, jax_sparse.BCOO)) or bool(getattr(x, "is_sparse", False))


def assert_same(got: Any, want: Any, sparse: bool) -> None:
    assert is_sparse(got) is sparse
    want = ops.convert_to_numpy(want)
    got = ops.convert_to_numpy(got)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_allclose(got, want, 1e-6, 1e-6)


# --- the table --------------------------------------------------------------------------------------

# How the ops of the table are called here: the arrays, the call, which of the arrays are sparse.
CALLS: dict[str, Any] = {
    **{name: getattr(ops, name) for name in storage.KEEP_ZERO if hasattr(ops, name)},
    "cast": lambda x: ops.cast(x, "float16"),
    "digitize": lambda x: ops.digitize(x, np.array([0.1, 1.0, 3.0], "float32")),
    "reshape": lambda x: ops.reshape(x, (2, -1)),
    "ravel": lambda x: ops.ravel(x),
    "transpose": lambda x: ops.transpose(x, (1, 0)),
    "expand_dims": lambda x: ops.expand_dims(x, (0, -1)),
    "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 1), 1),
    "sum": lambda x: ops.sum(x, axis=-1),
    "mean": lambda x: ops.mean(x, axis=0, keepdims=True),
}
PAIRS: dict[str, Any] = {
    name: getattr(ops, name) for name in ("add", "subtract", "maximum", "minimum", "multiply", "divide", "true_divide")
} | {
    "concatenate": lambda x, y: ops.concatenate([x, y], axis=1),
    "matmul": lambda x, y: ops.matmul(x, ops.transpose(y)),
}
NOT_HERE = {"affine", "lookup", "take", "bincount", "_converted", "_filled"}  # below


def test_each_rule_is_tested() -> None:
    assert set(storage.RULES) == {*CALLS, *PAIRS, *NOT_HERE}


@frameworks
@pytest.mark.parametrize("name", CALLS)
def test_one_sparse_tensor(name: str, framework: str) -> None:
    call = CALLS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(call(SPARSE[framework](A / 4)), call(DENSE[framework](A / 4)), sparse=True)
    spec = kbridge.KerasTensor(A.shape, sparse=True)
    assert call(spec).sparse
    assert call(spec).shape == tuple(call(DENSE[framework](A)).shape)


@frameworks
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("sparse", [(True, True), (True, False), (False, True)], ids=["both", "first", "second"])
def test_two_tensors(name: str, sparse: tuple[bool, bool], framework: str) -> None:
    call = PAIRS[name]
    given = [(SPARSE if s else DENSE)[framework](array) for array, s in zip((A, B), sparse, strict=True)]
    with np.errstate(all="ignore"):
        want = call(*map(DENSE[framework], (A, B)))
    stays = storage.RULES[name].stays(sparse)
    assert_same(call(*given), want, stays)
    specs = [kbridge.KerasTensor(A.shape, sparse=s) for s in sparse]
    assert call(*specs).sparse == stays


@frameworks
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), ()])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean"])
def test_reductions(name: str, axis: Any, keepdims: bool, framework: str) -> None:
    call = getattr(ops, name)
    got = call(SPARSE[framework](A), axis=axis, keepdims=keepdims)
    assert_same(got, call(DENSE[framework](A), axis=axis, keepdims=keepdims), sparse=True)


@frameworks
def test_whole_numbers_widen_as_dense_ones_do(framework: str) -> None:
    whole = (A * 4).astype("int32")
    for call in (ops.sum, ops.mean, lambda x: ops.multiply(x, 2.5), lambda x: ops.add(x, x)):
        assert_same(call(SPARSE[framework](whole)), call(DENSE[framework](whole)), sparse=True)


@frameworks
def test_scalars_keep_zeros_and_broadcasting_does_where_it_can(framework: str) -> None:
    x, row = SPARSE[framework](A), DENSE[framework](B[:1])
    dense = DENSE[framework](A)
    assert_same(ops.multiply(x, 2), ops.multiply(dense, 2), sparse=True)
    assert_same(ops.divide(x, 2.0), ops.divide(dense, 2.0), sparse=True)
    assert_same(ops.multiply(row, x), ops.multiply(row, dense), sparse=True)
    tall = DENSE[framework](np.ones((2, 3, 4), "float32"))  # the result has more axes than the sparse one
    assert_same(ops.multiply(x, tall), ops.multiply(dense, tall), sparse=False)
    assert_same(ops.divide(x, 0), ops.divide(dense, 0), sparse=False)


@frameworks
def test_without_a_rule_a_warning_says_that_it_became_dense(framework: str) -> None:
    with pytest.warns(DensifiedWarning, match=r"ops.exp has no sparse form.*\(3, 4\)"):
        got = ops.exp(SPARSE[framework](A))
    assert_same(got, ops.exp(DENSE[framework](A)), sparse=False)


@frameworks
def test_conversions(framework: str) -> None:
    x = SPARSE[framework](A)
    assert_same(ops.convert_to_tensor(x), A, sparse=True)
    assert_same(ops.convert_to_tensor(x, dtype="float16"), A.astype("float16"), sparse=True)
    assert_same(ops.convert_to_tensor(x, sparse=False), A, sparse=False)
    assert ops.shape(x) == (3, 4)
    assert ops.dtype(x) == "float32"
    assert ops.is_tensor(x)
    np.testing.assert_array_equal(ops.convert_to_numpy(x), A)


@frameworks
@pytest.mark.parametrize("other", FRAMEWORKS)
def test_carried_to_another_framework(framework: str, other: str) -> None:
    with kbridge.backend_scope(other):
        got = ops.add(SPARSE[framework](A), SPARSE[other](B))
    assert kbridge.core.context.framework_of(got) == other
    assert_same(got, A + B, sparse=True)


# --- indices and classes ----------------------------------------------------------------------------


@frameworks
def test_picking_by_sparse_numbers(framework: str) -> None:
    numbers = np.array([[0, 2, 0], [1, 0, 2]], "int32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for axis in (None, 0, 1):
            got = ops.take(DENSE[framework](A), SPARSE[framework](numbers), axis=axis)
            assert_same(got, np.take(A, numbers, axis=axis), sparse=False)
        layer = layers.Embedding(3, 2, embeddings_initializer="uniform")
        assert_same(layer(SPARSE[framework](numbers)), layer(DENSE[framework](numbers)), sparse=False)


@frameworks
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_one_hot_and_multi_hot(axis: int, framework: str) -> None:
    numbers = DENSE[framework](np.array([[0, 2, 2], [1, -1, 5]], "int32"))
    assert_same(ops.one_hot(numbers, 4, axis=axis, sparse=True), ops.one_hot(numbers, 4, axis=axis), sparse=True)
    for dtype in ("float32", "int32", "bool"):
        got = ops.multi_hot(numbers, 4, dtype=dtype, sparse=True)
        assert_same(got, ops.multi_hot(numbers, 4, dtype=dtype), sparse=True)
    assert ops.one_hot(kbridge.KerasTensor((None, 3), "int32"), 4, sparse=True).sparse


@frameworks
def test_counts_of_stored_numbers(framework: str) -> None:
    numbers = np.array([[0, 1, 3, 0], [2, 0, 2, 0]], "int32")
    got = ops.bincount(SPARSE[framework](numbers), minlength=5)
    assert_same(got, np.array([[0, 1, 0, 1, 0], [0, 0, 2, 0, 0]], "int32"), sparse=True)
    weights = np.array([[9, 1, 2, 9], [3, 9, 4, 9]], "float32")
    got = ops.bincount(SPARSE[framework](numbers), weights=DENSE[framework](weights))
    assert_same(got, np.array([[0, 1, 0, 2], [0, 0, 7, 0]], "float32"), sparse=True)
    dense = DENSE[framework](numbers)
    assert_same(ops.bincount(dense, sparse=True), ops.bincount(dense), sparse=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.one_hot(x, 3, sparse=True),
        lambda x: ops.multi_hot(x, 3, sparse=True),
        lambda x: ops.bincount(x, sparse=True),
    ],
)
def test_numpy_has_none(call: Any) -> None:
    with pytest.raises(ArgumentError, match="NumPy has no sparse arrays"):
        call(np.array([0, 2]))


# --- each framework's own ---------------------------------------------------------------------------


def test_tensorflow_slices_that_name_a_row_twice() -> None:
    """As the gradient of a gather does: what isn't linear needs their sum first."""
    slices = tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([1, 1]), (3, 2))
    want = np.array([[0, 0], [16, 36], [0, 0]], "float32")
    assert isinstance(ops.square(slices), tf.IndexedSlices)
    assert_same(ops.square(slices), want, sparse=True)
    with pytest.raises(ShapeError, match="dense_shape"):
        ops.square(tf.IndexedSlices(slices.values, slices.indices))


def test_jax_entries_that_name_a_place_twice() -> None:
    twice = jax_sparse.BCOO((jnp.array([1.0, 2.0]), jnp.array([[1], [1]])), shape=(3,))
    assert_same(ops.square(twice), np.array([0, 9, 0], "float32"), sparse=True)


def test_torch_entries_that_name_a_place_twice() -> None:
    twice = torch.sparse_coo_tensor([[1, 1]], torch.tensor([1.0, 2.0]), (3,), check_invariants=True)
    assert_same(ops.square(twice), np.array([0, 9, 0], "float32"), sparse=True)


def test_torch_compressed_rows() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls them beta
        compressed = torch.tensor(A).to_sparse_csr()
    assert_same(ops.multiply(compressed, 2.0), A * 2, sparse=True)


def test_torch_functions_see_through_in_a_layer() -> None:
    class Own(layers.Layer):
        def call(self, x: Any) -> Any:
            return torch.sparse.mm(x * 2, torch.ones(4, 2))

    assert_same(Own()(SPARSE["torch"](A)), A * 2 @ np.ones((4, 2), "float32"), sparse=False)


def test_more_places_than_32_bits_count_are_refused() -> None:
    wide = jax_sparse.BCOO((jnp.ones(1), jnp.array([[99_999, 99_999]])), shape=(100_000, 100_000))
    with pytest.raises(ShapeError, match="32-bit"):
        ops.reshape(wide, (-1,))


# one op of each rule; TorchDynamo follows no sparse tensors (torch 2.13) and runs them eagerly
TRACED = {storage.RULES[name].run: name for name in (*CALLS, *PAIRS) if name != "digitize"}.values()


@pytest.mark.parametrize("framework", ["jax", "tensorflow"])
@pytest.mark.parametrize("name", TRACED)
def test_traced(name: str, framework: str) -> None:
    arrays = (A,) if name in CALLS else (A, B)
    call = {**CALLS, **PAIRS}[name]
    compiled = jax.jit(call) if framework == "jax" else tf.function(call)
    got = compiled(*map(SPARSE[framework], arrays))
    want = call(*map(SPARSE[framework], arrays))
    assert_same(got, ops.convert_to_tensor(want, sparse=False), is_sparse(want))


def test_free_sizes_in_tensorflow() -> None:
    @tf.function(input_signature=[tf.SparseTensorSpec((None, 4))])
    def run(x: Any) -> Any:
        y = ops.reshape(ops.transpose(ops.concatenate([ops.square(x), x], 0)), (-1, 2))
        return ops.sum(y, axis=0), ops.matmul(x, np.ones((4, 2), "float32"))

    both = np.concatenate([A * A, A]).T.reshape(-1, 2)
    got, product = run(SPARSE["tensorflow"](A))
    assert_same(got, both.sum(0), sparse=True)
    assert_same(product, A @ np.ones((4, 2), "float32"), sparse=False)


# --- gradients --------------------------------------------------------------------------------------


@frameworks
def test_gradients_of_what_meets_a_sparse_tensor(framework: str) -> None:
    weights, scale = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2), B

    def loss(weights: Any, scale: Any, x: Any) -> Any:
        scaled = ops.convert_to_tensor(ops.multiply(x, scale), sparse=False)
        return ops.add(ops.sum(ops.square(ops.matmul(x, weights))), ops.sum(ops.square(scaled)))

    def slopes(x: Any) -> Any:
        inside = (*map(DENSE[framework], (weights, scale)), x)
        return kbridge.value_and_grad(loss, argnums=(0, 1))(*inside)[1]

    for got, want in zip(slopes(SPARSE[framework](A)), slopes(DENSE[framework](A)), strict=True):
        assert_same(ops.convert_to_tensor(got, sparse=False), want, sparse=False)


# --- layers and models ------------------------------------------------------------------------------


@frameworks
def test_conversions_in_a_graph(framework: str) -> None:
    x = layers.Input((4,), sparse=True)
    assert ops.convert_to_tensor(x, sparse=True).sparse
    half, full = ops.convert_to_tensor(x, "float16"), ops.convert_to_tensor(x, sparse=False)
    assert (half.sparse, full.sparse) == (True, False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = kbridge.Model(x, [half, full])(SPARSE[framework](A))
    assert_same(got[0], A.astype("float16"), sparse=True)
    assert_same(got[1], A, sparse=False)


def model() -> Any:
    wide = layers.Input((4,), sparse=True, name="wide")
    x = layers.Dense(5, activation="relu", name="first")(wide)
    return kbridge.Model(wide, layers.Dense(2, name="last")(x))


@frameworks
def test_a_model_of_sparse_inputs(framework: str) -> None:
    net = model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(net(SPARSE[framework](A)), net(DENSE[framework](A)), sparse=False)
    assert net.input.sparse


def test_a_model_of_sparse_inputs_is_saved_as_keras_does(tmp_path: Any) -> None:
    ours = model()
    ours.save(tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    want = theirs(SPARSE["tensorflow"](A)).numpy()
    theirs.save(tmp_path / "theirs.keras")
    back = kbridge.saving.load_model(tmp_path / "theirs.keras")
    for net in (ours, back):
        np.testing.assert_allclose(net(SPARSE["tensorflow"](A)).numpy(), want, 1e-5, 1e-5)
        assert net.input.sparse


@frameworks
def test_layers_keep_sparse_what_their_ops_keep(framework: str) -> None:
    x = SPARSE[framework](A)
    assert_same(layers.Flatten()(ops.expand_dims(x, 1)), A, sparse=True)
    assert_same(layers.Reshape((2, 2))(x), A.reshape(3, 2, 2), sparse=True)
    assert_same(layers.Add()([x, SPARSE[framework](B)]), A + B, sparse=True)
    assert_same(layers.Activation("relu")(x), np.maximum(A, 0), sparse=True)


# --- ragged -----------------------------------------------------------------------------------------

ROWS = [[0.5, 0.25], [], [0.125, 0.75, 0.5]]
RAGGED = tf.ragged.constant(ROWS, dtype="float32")


def rows(x: Any) -> list[Any]:
    assert isinstance(x, tf.RaggedTensor)
    return x.to_list()


def arity(name: str) -> int:
    found = inspect.signature(getattr(ops, name)).parameters.values()
    return sum(p.default is p.empty for p in found if p.kind is p.POSITIONAL_OR_KEYWORD)


@pytest.mark.parametrize("name", sorted(n for n in storage.EACH if hasattr(ops, n)))
def test_ragged_rows_one_element_at_a_time(name: str) -> None:
    x = ops.cast(RAGGED * 8, "int32") if name.startswith("bitwise") else RAGGED
    x = x + 1 if name == "arccosh" else x
    if name == "cast":
        call = lambda v: ops.cast(v, "float16")  # noqa: E731
    else:
        call = lambda v: getattr(ops, name)(*([v] * arity(name)))  # noqa: E731
    got = rows(call(x))
    want = [ops.convert_to_numpy(call(tf.constant(row, x.dtype))).tolist() for row in x.to_list()]
    assert got == want


def test_ragged_reductions_and_moves() -> None:
    np.testing.assert_allclose(ops.sum(RAGGED, axis=1), [sum(row) for row in ROWS])
    np.testing.assert_allclose(ops.max(RAGGED), 0.75)
    assert rows(ops.concatenate([RAGGED, RAGGED], axis=0)) == ROWS * 2
    assert ops.shape(RAGGED) == (3, None)
    assert rows(ops.convert_to_tensor(RAGGED, dtype="float64")) == ROWS
    filled = [[0.5, 0.25, 0], [0, 0, 0], [0.125, 0.75, 0.5]]
    np.testing.assert_array_equal(ops.convert_to_tensor(RAGGED, ragged=False), filled)
    np.testing.assert_array_equal(ops.convert_to_numpy(RAGGED), filled)


def test_ragged_conversions_in_a_graph() -> None:
    x = layers.Input((None,), ragged=True)
    double, filled = ops.convert_to_tensor(x, "float64"), ops.convert_to_tensor(x, ragged=False)
    assert (double.ragged, filled.ragged) == (True, False)
    got = kbridge.Model(x, [double, filled])(RAGGED)
    assert rows(got[0]) == ROWS
    np.testing.assert_array_equal(got[1], RAGGED.to_tensor())


def test_ragged_numbers_and_rows_that_differ() -> None:
    assert rows(ops.multiply(RAGGED, 2.0)) == [[2 * v for v in row] for row in ROWS]
    with pytest.raises(ArgumentError, match="same rows"):
        ops.add(RAGGED, tf.ragged.constant([[1.0], [2.0], []]))
    with pytest.raises(ArgumentError, match=r"ops.sort has no ragged form.*to_tensor"):
        ops.sort(RAGGED)


def test_ragged_words_into_an_embedding() -> None:
    words = tf.ragged.constant([[2, 0], [], [1]])
    layer = layers.Embedding(3, 2, embeddings_initializer="uniform")
    got = layer(words)
    assert isinstance(got, tf.RaggedTensor)
    np.testing.assert_allclose(got.flat_values, layer(tf.constant([2, 0, 1])))
