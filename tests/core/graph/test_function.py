"""Operations of one's own and graphs as functions."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from kbridge import Function, Input, KerasTensor, Layer, Model, Operation, RematScope, layers, ops, saving, utils
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.saving import load_model


def host(value: Any) -> np.ndarray:
    return ops.convert_to_numpy(value)


@saving.register_keras_serializable("tests")
class Blend(Operation):
    """An op with three inputs and a setting."""

    def __init__(self, share: float, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.share = share

    def call(self, x: Any, y: Any, z: Any = None) -> Any:
        return ops.add(x * self.share, y * (1 - self.share)) + (0 if z is None else z)


class Twice(Operation):
    def call(self, x: Any) -> Any:
        return x, ops.add(x, 1)

    def compute_output_spec(self, x: Any) -> Any:
        return x, x


# --- operations ------------------------------------------------------------------------------------


def test_eager_calls(backend: str) -> None:
    one = np.ones(2, "float32")
    blend = Blend(0.25)
    for result in (blend(one, 5 * one), blend(one, y=5 * one), blend(y=5 * one, x=ops.convert_to_tensor(one))):
        assert ops.is_tensor(result)
        np.testing.assert_array_equal(host(result), [4, 4])
    first, second = Twice()(one)
    np.testing.assert_array_equal(host(second) - host(first), one)


def test_symbolic_calls() -> None:
    x, y, z = (KerasTensor((2, None)) for _ in range(3))
    blend = Blend(0.5, name="blend")
    with pytest.raises(AttributeError, match="has no input"):
        blend.input  # noqa: B018
    out = blend(x, y, z=z)
    assert (out.shape, out.dtype) == ((2, None), "float32")
    assert [a is b for a, b in zip(blend.input, (x, y, z), strict=True)] == [True] * 3
    blend(x, x)
    assert blend.output is out
    twice = Twice()
    outputs = twice(x)
    assert isinstance(outputs, tuple)
    assert twice.input is x
    assert [a is b for a, b in zip(twice.output, outputs, strict=True)] == [True, True]
    assert outputs[0] is not x


def test_layers_are_operations() -> None:
    x, y = Input((3,)), Input((3,))
    add = layers.Add()
    out = add([x, y])
    assert isinstance(add, Operation)
    assert [a is b for a, b in zip(add.input, (x, y), strict=True)] == [True, True]
    assert add.output is out
    dense = layers.Dense(2)
    assert dense.symbolic_call(x).shape == (None, 2)
    assert dense.built


def test_configs() -> None:
    assert Twice(name="t").get_config() == {"name": "t"}
    assert Twice.from_config({"name": "t"}).name == "t"
    blend = Blend(0.25)
    assert blend.get_config() == {"share": 0.25, "name": blend.name}
    assert Blend.from_config(blend.get_config()).get_config() == blend.get_config()


def test_configs_that_can_not_be() -> None:
    class Many(Operation):
        def __init__(self, first: Any, *rest: Any) -> None:
            super().__init__()

    assert Many(1).get_config() == {"first": 1}
    with pytest.raises(NotImplementedError, match="no name"):
        Many(1, 2, 3).get_config()
    with pytest.raises(NotImplementedError, match="needs a get_config"):
        Many(object()).get_config()


@pytest.mark.parametrize("name", ["a/b", 3])
def test_names(name: Any) -> None:
    with pytest.raises(ArgumentError, match="string without '/'"):
        Twice(name=name)
    assert Twice().name.startswith("twice")


def test_what_subclasses_must_give() -> None:
    with pytest.raises(NotImplementedError, match="needs a `call`"):
        Operation()(np.ones(2))
    twice = Twice()
    twice.quantization_mode = "int8"
    with pytest.raises(NotImplementedError, match="needs a `quantized_call`"):
        twice(np.ones(2))


def test_quantized_and_recomputed(backend: str) -> None:
    class Rough(Operation):
        def call(self, x: Any) -> Any:
            return x

        def quantized_call(self, x: Any) -> Any:
            return ops.round(x)

    with RematScope():
        rough = Rough()
    x = np.array([0.3, 1.8], "float32")
    np.testing.assert_array_equal(host(rough(x)), x)
    rough.quantization_mode = "int8"
    np.testing.assert_array_equal(host(rough(x)), [0, 2])


def test_an_operation_is_saved_with_its_model(tmp_path: Any, backend: str) -> None:
    x, y = Input((2,)), Input((2,))
    blend = Blend(0.25, name="blend")
    model = Model([x, y], blend(blend(x, y), y=layers.Dense(2)(x)))
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    given = [np.ones((3, 2), "float32"), np.full((3, 2), 5, "float32")]
    np.testing.assert_allclose(host(loaded(given)), host(model(given)), rtol=1e-6)
    names = [entry["name"] for entry in model.get_config()["layers"]]
    assert names.count("blend") == 1
    np.testing.assert_allclose(host(pickle.loads(pickle.dumps(model))(given)), host(model(given)), rtol=1e-6)


# --- functions -------------------------------------------------------------------------------------


def test_a_function_of_a_graph(backend: str) -> None:
    x, y = KerasTensor((2, 3)), KerasTensor((2, 3))
    total = x + y
    function = Function({"x": x, "y": y}, (total * 3, [total**2]), name="f")
    assert function.name == "f"
    one = np.ones((2, 3), "float32")
    first, [second] = function({"x": one, "y": one})
    assert ops.is_tensor(first)
    np.testing.assert_array_equal(host(first), 6 * one)
    np.testing.assert_array_equal(host(second), 4 * one)
    assert [t is each for t, each in zip(function.inputs, (x, y), strict=True)] == [True, True]
    assert len(function.outputs) == 2


def test_functions_in_functions(backend: str) -> None:
    x = KerasTensor((None, 3))
    inner = Function([x], [x * 2])
    a = KerasTensor((4, 3))
    [b] = inner([a])
    assert b.shape == (4, 3)
    outer = Function(a, b + 1)
    np.testing.assert_array_equal(host(outer(np.ones((4, 3), "float32"))), np.full((4, 3), 3))
    assert inner in outer.operations


def test_shapes() -> None:
    x = KerasTensor((None, 3), "int32")
    function = Function(x, ops.concatenate([x, x]))
    spec = function.compute_output_spec(KerasTensor((4, 3), "int32"))
    assert (spec.shape, spec.dtype) == ((8, 3), "int32")
    assert function.compute_output_shape((None, 3)) == (None, 3)
    assert function(KerasTensor((5, 3), "int32")).shape == (10, 3)


def test_layers_inside(backend: str) -> None:
    start = Input((3,), name="start")
    dense = layers.Dense(2, name="dense")
    function = Function(start, ops.relu(dense(start)))
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_allclose(host(function(x)), np.maximum(x @ dense.kernel.numpy(), 0), rtol=1e-5, atol=1e-6)
    assert [operation.name for operation in function.operations] == ["start", "dense", "relu"]
    assert not isinstance(function, Layer)


def test_a_piece_out_of_a_graph() -> None:
    x = Input((3,), name="x")
    doubled = x * 2
    more = doubled + 1
    function = Function(more, more**2)
    assert [operation.name for operation in function.operations] == ["power"]
    np.testing.assert_array_equal(function(np.full((2, 3), 3.0)), np.full((2, 3), 9.0))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (np.ones((2, 3)), ArgumentError, "invalid input structure"),
        ([np.ones((2, 3))], ArgumentError, "invalid input structure"),
        ([np.ones((2, 3, 3)), np.ones((2, 3))], ShapeError, "incompatible inputs"),
        ([np.ones((4, 3)), np.ones((2, 3))], ShapeError, r"incompatible inputs: one of shape \(4, 3\)"),
        ([KerasTensor((4, 3)), KerasTensor((2, 3))], ShapeError, "incompatible inputs"),
    ],
)
def test_inputs_that_do_not_fit(given: Any, error: type[Exception], said: str) -> None:
    x, y = KerasTensor((2, 3)), KerasTensor((2, 3))
    with pytest.raises(error, match=said):
        Function([x, y], x + y)(given)


def test_graphs_that_are_none() -> None:
    x, y = KerasTensor((2,)), KerasTensor((2,))
    for inputs, outputs, said in (([], x, "`inputs`"), (x, [], "`outputs`")):
        with pytest.raises(ArgumentError, match=f"{said} argument cannot be empty"):
            Function(inputs, outputs)
    with pytest.raises(ArgumentError, match="symbolic tensors, got ndarray"):
        Function(np.ones(2), x)
    with pytest.raises(ShapeError, match="is not connected to `inputs`"):
        Function(x, x + y)
    with pytest.raises(NotImplementedError, match="Make a Model"):
        Function(x, x + 1).get_config()


def test_where_a_graph_starts() -> None:
    x, y = KerasTensor((2,)), KerasTensor((2,))
    shared = x + y
    found = utils.get_source_inputs(ops.square(shared + 2) * shared)
    assert [a is b for a, b in zip(found, (x, y), strict=True)] == [True, True]
    start = Input((3,))
    assert utils.get_source_inputs(start)[0] is start


@saving.register_keras_serializable("tests")
def summed(row: Any) -> Any:
    return ops.sum(row * row)


def test_a_mapped_function_is_saved_by_its_name(backend: str) -> None:
    x = Input((4,))
    model = Model(x, ops.vectorized_map(summed, x))
    loaded = Model.from_config(model.get_config())
    given = np.arange(8, dtype="float32").reshape(2, 4)
    np.testing.assert_allclose(host(loaded(given)), (given**2).sum(-1), rtol=1e-6)
    with pytest.raises(TypeError, match="lambda"):
        Model(x, ops.vectorized_map(lambda row: ops.sum(row), x)).get_config()
    bias = KerasTensor((4,))
    with pytest.raises(TypeError, match="from outside of itself"):
        Model([x, bias], ops.vectorized_map(lambda row: row + bias, x)).get_config()


def test_a_model_of_a_bare_symbolic_tensor() -> None:
    x = KerasTensor((None, 2), name="x")
    model = Model(x, x * 2)
    assert model.input_names == ["x"]
    np.testing.assert_array_equal(model(np.ones((1, 2), "float32")), [[2, 2]])
    assert Input(tensor=KerasTensor((None, 3))).shape == (None, 3)
