"""Recurrent layers: states, masks, dropout, own cells, and torch's LSTM as oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kbridge import Input, Sequential, layers, ops
from kbridge.core.errors import ShapeError
from kbridge.ops import convert_to_numpy

X = np.random.default_rng(1).normal(size=(2, 6, 3)).astype("float32")


def test_lstm_is_that_of_torch(backend: str) -> None:
    """The gates are in the same order; the kernels are transposed."""
    import torch

    native = torch.nn.LSTM(3, 4, batch_first=True)
    layer = layers.LSTM(4, return_sequences=True, return_state=True)
    layer.build(X.shape)
    w, r, b, b2 = (p.detach().numpy() for p in native.parameters())
    layer.set_weights([w.T, r.T, b + b2])
    with torch.no_grad():
        expected, (h, c) = native(torch.from_numpy(X))
    for ours, theirs in zip(layer(X), (expected, h[0], c[0]), strict=True):
        np.testing.assert_allclose(convert_to_numpy(ours), theirs.numpy(), 1e-5, 1e-5)


def test_gru_is_that_of_torch() -> None:
    """torch has the gates in the order r, z, n, ours are z, r, h."""
    import torch

    native = torch.nn.GRU(3, 4, batch_first=True)
    layer = layers.GRU(4, return_sequences=True)
    layer.build(X.shape)

    def ordered(p: Any) -> np.ndarray:
        r, z, n = np.split(p.detach().numpy(), 3)
        return np.concatenate([z, r, n])

    w, r, b, b2 = map(ordered, native.parameters())
    layer.set_weights([w.T, r.T, np.stack([b, b2])])
    with torch.no_grad():
        expected, _ = native(torch.from_numpy(X))
    np.testing.assert_allclose(layer(X), expected.numpy(), 1e-5, 1e-5)


# --- states ----------------------------------------------------------------------------------------


def test_stateful_continues_where_it_stopped(backend: str) -> None:
    whole = layers.LSTM(4)
    expected = convert_to_numpy(whole(X))
    halves = layers.LSTM(4, stateful=True)
    halves.build((2, 3, 3))
    halves.set_weights(whole.get_weights())
    for _ in range(2):
        halves(X[:, :3])
        np.testing.assert_allclose(convert_to_numpy(halves(X[:, 3:])), expected, 1e-5, 1e-5)
        halves.reset_state()


def test_the_state_of_a_stateful_layer_is_no_weight() -> None:
    layer = layers.RNN([layers.LSTMCell(4), layers.GRUCell(2)], stateful=True)
    layer(X)
    assert len(layer.weights) == 6
    states = [v for v in layer.variables if v.name == "rnn_state"]
    assert [v.shape for v in states] == [(2, 4), (2, 4), (2, 2)]
    assert not {id(v) for v in states} & {id(v) for v in layer.weights + layer.trainable_variables}


def test_gradients_pass_a_stateful_layer_twice() -> None:
    """Writing the new state must not destroy what the gradient needs of the old one."""
    import torch

    layer = layers.LSTM(4, stateful=True)
    x = torch.from_numpy(X).requires_grad_()
    layer(x)
    layer(x).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0


def test_states_split_a_sequence(backend: str) -> None:
    layer = layers.RNN([layers.LSTMCell(4), layers.SimpleRNNCell(2)], return_state=True)
    expected = convert_to_numpy(layer(X)[0])
    _, *states = layer(X[:, :2])
    assert [len(s) if isinstance(s, list) else 1 for s in states] == [2, 1]
    got = layer(X[:, 2:], initial_state=states)[0]
    np.testing.assert_allclose(convert_to_numpy(got), expected, 1e-5, 1e-5)


def test_initial_state_of_a_layer_is_zeros() -> None:
    assert [s.shape for s in layers.LSTM(4).get_initial_state(batch_size=3)] == [(3, 4), (3, 4)]
    assert [s.shape for s in layers.GRU(4).get_initial_state(3)] == [(3, 4)]


def test_symbolic_states() -> None:
    x, h, c = Input((6, 3)), Input((4,)), Input((4,))
    outputs = layers.LSTM(4, return_sequences=True, return_state=True)(x, initial_state=[h, c])
    assert [o.shape for o in outputs] == [(None, 6, 4), (None, 4), (None, 4)]
    assert layers.LSTM(4, return_sequences=True)(Input((None, 3))).shape == (None, None, 4)
    assert layers.LSTM(4).compute_output_shape((None, 6, 3)) == (None, 4)


# --- masks and dropout -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_masked_steps_are_skipped(kind: Any, backend: str) -> None:
    """A sequence with masked steps gives what the sequence without them gives."""
    layer = kind(4)
    expected = convert_to_numpy(layer(X[:, [0, 2, 3]]))
    mask = np.array([[True, False, True, True, False, False]] * 2)
    np.testing.assert_allclose(convert_to_numpy(layer(X, mask=mask)), expected, 1e-5, 1e-5)


def test_masks_go_on_behind_sequences_only() -> None:
    words = np.array([[1, 2, 0]])
    chain = [layers.Embedding(4, 3, mask_zero=True), layers.LSTM(2, return_sequences=True), layers.LSTM(2)]
    model = Sequential([Input((None,), dtype="int32"), *chain])
    shorter = model(words[:, :2])
    np.testing.assert_allclose(model(words), shorter, 1e-5)


def test_dropout_is_the_same_at_each_step(backend: str) -> None:
    """The layer adds up its inputs: each unit grows evenly, or not at all."""
    layer = layers.SimpleRNN(40, activation=None, dropout=0.5, seed=1, return_sequences=True)
    layer.build((1, 5, 40))
    layer.set_weights([np.eye(40), np.eye(40), np.zeros(40)])
    y = convert_to_numpy(layer(np.ones((1, 5, 40), "float32"), training=True))[0]
    np.testing.assert_allclose(y, np.arange(1, 6)[:, None] * y[:1], 1e-5)
    assert set(np.unique(y[0])) == {0.0, 2.0}


def test_unroll_and_loop_agree(backend: str) -> None:
    loop = layers.GRU(4, return_sequences=True, go_backwards=True)
    written = layers.GRU(4, return_sequences=True, go_backwards=True, unroll=True)
    written.build(X.shape)
    loop.build(X.shape)
    written.set_weights(loop.get_weights())
    np.testing.assert_allclose(convert_to_numpy(written(X)), convert_to_numpy(loop(X)), 1e-5, 1e-6)


# --- own cells -------------------------------------------------------------------------------------


class Sum(layers.Layer):
    """A cell that adds up what it sees; its state has no initial value of its own."""

    state_size = 3

    def call(self, inputs: Any, states: Any) -> Any:
        total = ops.add(states[0], inputs)
        return ops.multiply(total, 2.0), [total]


class Count:
    """A cell that is no layer, starts from 10 and returns a bare state."""

    state_size = 3

    def get_initial_state(self, batch_size: Any = None) -> Any:
        return ops.full((batch_size, 3), 10.0)

    def call(self, inputs: Any, states: Any) -> Any:
        return states[0], ops.add(states[0], 1.0)


def test_own_cells(backend: str) -> None:
    y = convert_to_numpy(layers.RNN(Sum(), return_sequences=True)(X))
    np.testing.assert_allclose(y, 2 * np.cumsum(X, 1), 1e-5, 1e-5)
    output, state = layers.RNN(Count(), return_state=True)(X)
    np.testing.assert_array_equal(convert_to_numpy(output), 15)
    np.testing.assert_array_equal(convert_to_numpy(state), 16)


def test_own_cells_in_a_stack(backend: str) -> None:
    y, total, state = layers.RNN([Sum(), layers.GRUCell(2)], return_state=True)(X)
    np.testing.assert_allclose(convert_to_numpy(total), X.sum(1), 1e-5, 1e-5)
    np.testing.assert_array_equal(convert_to_numpy(y), convert_to_numpy(state))


def test_a_cell_by_hand() -> None:
    cell = layers.LSTMCell(4)
    h, c = cell.get_initial_state(2)
    for t in range(6):
        y, (h, c) = cell(X[:, t], [h, c])
    layer = layers.RNN(layers.LSTMCell(4))
    layer.build(X.shape)
    layer.set_weights(cell.get_weights())
    np.testing.assert_allclose(layer(X), y, 1e-5)


# --- types and refusals ----------------------------------------------------------------------------


def test_a_module_moved_to_float64_computes_in_float64() -> None:
    import torch

    from kbridge.adapters import to_torch

    model = Sequential([Input((6, 3)), layers.LSTM(4, return_sequences=True), layers.GRU(2)])
    y = to_torch(model).double()(torch.from_numpy(X).double())
    assert y.dtype == torch.float64


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.LSTM(0), "units must be a positive whole number, got 0"),
        (lambda: layers.LSTM(3, dropout=2), "dropout must be a number from 0 to 1, got 2"),
        (lambda: layers.RNN("lstm"), "A cell has a call"),
        (lambda: layers.RNN([layers.LSTMCell(2), layers.Dense(2)]), "and a state_size"),
        (lambda: layers.LSTM(3)(X[0]), r"takes \(batch, time, features\), got shape \(6, 3\)"),
        (lambda: layers.LSTM(3, stateful=True)(Input((6, 3))), "its batch size must be fixed"),
        (lambda: layers.LSTM(3, unroll=True)(Input((None, 3))), "needs a known number of steps"),
        (lambda: layers.LSTM(3)(X, initial_state=[np.zeros((5, 3))] * 2), "got 2 sequences and states for 5"),
    ],
)  # fmt: skip
def test_what_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ShapeError, ValueError), match=message):
        call()


def test_a_stateful_layer_refuses_another_batch_size() -> None:
    layer = layers.LSTM(3, stateful=True)
    layer(X)
    with pytest.raises(ShapeError, match="got 1 sequences and states for 2"):
        layer(X[:1])
