"""A model as a torch module: everything that torch people do with modules works on it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from kbridge import Input, Model, Sequential, backend_scope, layers
from kbridge.adapters import to_torch
from kbridge.core.errors import NotBuiltError
from kbridge.core.graph.node import leaves
from tests.rows.models import MODELS, call_inputs

HOMES = ("numpy", "jax", "tensorflow", "torch")
names = pytest.mark.parametrize("name", MODELS)


def tensors(name: str, batch: int = 3) -> Any:
    given = call_inputs(MODELS[name], batch)
    return [torch.from_numpy(a) for a in given] if isinstance(given, list) else torch.from_numpy(given)


def flat(outputs: Any) -> list[np.ndarray]:
    return [np.asarray(o.detach() if isinstance(o, torch.Tensor) else o) for o in leaves(outputs)]


def same(got: Any, expected: Any, atol: float = 1e-5) -> None:
    got, expected = flat(got), flat(expected)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=atol)


@pytest.fixture(params=MODELS)
def model_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("home", HOMES)
@names
def test_outputs_equal_the_models(name: str, home: str) -> None:
    model = MODELS[name].build()
    with backend_scope(home):
        expected = flat(model(call_inputs(MODELS[name], 3)))
    same(to_torch(model).eval()(tensors(name)), expected)


@names
def test_parameters_are_the_models_weights(name: str) -> None:
    model = MODELS[name].build()
    net = to_torch(model)
    assert {id(p) for p in net.parameters()} == {id(v.value) for v in model.trainable_variables}
    shapes = sorted(tuple(v.shape) for v in model.weights)
    assert sorted(tuple(t.shape) for t in net.state_dict().values()) == shapes


@names
def test_compiles_without_a_graph_break(name: str) -> None:
    net = to_torch(MODELS[name].build()).eval()
    torch._dynamo.reset()
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    same(compiled(tensors(name)), net(tensors(name)))


def test_compiles_with_inductor_in_training() -> None:
    net = to_torch(MODELS["mlp"].build())
    torch._dynamo.reset()
    compiled = torch.compile(net, fullgraph=True)
    same(compiled(tensors("mlp")), net(tensors("mlp")))
    compiled(tensors("mlp")).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


@names
def test_a_compiled_module_trains_like_a_plain_one(name: str) -> None:
    nets = [to_torch(MODELS[name].build()) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    torch._dynamo.reset()
    results = []
    for net, run in ((nets[0], nets[0]), (nets[1], torch.compile(nets[1], fullgraph=True, backend="aot_eager"))):
        for module in net.modules():
            if type(getattr(module, "_layer", None)) is layers.Dropout:
                module.eval()
        sum((o**2).sum() for o in leaves(run(tensors(name, 4)))).backward()
        results.append({n: p.grad for n, p in net.named_parameters()} | dict(net.named_buffers()))
    assert results[0].keys() == results[1].keys()
    for key, value in results[0].items():
        torch.testing.assert_close(results[1][key], value, rtol=1e-4, atol=1e-5, msg=key)


def test_a_compiled_module_follows_its_modes_and_weights() -> None:
    model = MODELS["convnet"].build()
    net = to_torch(model).eval()
    torch._dynamo.reset()
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    x = tensors("convnet", 16)
    same(compiled(x), net(x))
    net.train()
    before = net.norm.moving_mean.clone()
    assert not torch.equal(compiled(x), compiled(x)), "dropout draws anew"
    assert not torch.equal(net.norm.moving_mean, before), "batch statistics are followed"
    model.get_layer("norm").trainable = False
    net.eval()
    for variable in model.weights:
        variable.assign(variable.numpy() * 0.5)
    same(compiled(x), net(x))
    net.double()
    same(compiled(x.double()), net(x.double()))
    copied = copy.deepcopy(net).float()
    same(torch.compile(copied, fullgraph=True, backend="aot_eager")(x), copied(x))


# Strict export notes that `forward` writes to a thread-local; it is put back before `forward` ends.
@pytest.mark.filterwarnings("ignore:While compiling, we found certain side effects:UserWarning")
@pytest.mark.parametrize("strict", [False, True])
@names
def test_exports_with_a_free_batch(name: str, strict: bool) -> None:
    net = to_torch(MODELS[name].build()).eval()
    given = tensors(name, 2)
    batch = {0: torch.export.Dim("batch")}
    shapes = (([batch] * len(given),),) if isinstance(given, list) else ((batch,),)
    program = torch.export.export(net, (given,), dynamic_shapes=shapes, strict=strict)
    for size in (1, 3, 5):
        same(program.module()(tensors(name, size)), net(tensors(name, size)))
    assert set(program.state_dict) == set(net.state_dict())


@names
def test_copies_are_independent(name: str) -> None:
    net = to_torch(MODELS[name].build()).eval()
    before = flat(net(tensors(name)))
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        same(twin(tensors(name)), before, atol=0)
        with torch.no_grad():
            for parameter in twin.parameters():
                parameter.zero_()
        assert any(not np.allclose(a, b) for a, b in zip(flat(twin(tensors(name))), before, strict=True))
        same(net(tensors(name)), before, atol=0)


@names
def test_state_dict_round_trip(name: str) -> None:
    first, second = MODELS[name].build(), MODELS[name].build()
    net, other = to_torch(first).eval(), to_torch(second).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1)
    assert other.load_state_dict(net.state_dict(), strict=True).missing_keys == []
    same(other(tensors(name)), net(tensors(name)), atol=0)
    same(second(tensors(name)), net(tensors(name)), atol=0)  # the model has them too


def test_names_are_readable() -> None:
    assert list(to_torch(MODELS["nested"].build()).state_dict())[:6] == [
        "inner.inner_dense.kernel",
        "inner.inner_dense.bias",
        "inner.inner_block.steps.0.kernel",
        "inner.inner_block.steps.0.bias",
        "inner.inner_block.steps.1.kernel",
        "inner.inner_block.steps.1.bias",
    ]


@names
def test_runs_in_double(name: str) -> None:
    net = to_torch(MODELS[name].build()).eval()
    expected = flat(net(tensors(name)))
    net = net.to(torch.float64)
    given = tensors(name)
    given = [t.double() if t.is_floating_point() else t for t in (given if isinstance(given, list) else [given])]
    outputs = leaves(net(given if len(given) > 1 else given[0]))
    assert all(o.dtype == torch.float64 for o in outputs)
    same(outputs, expected)


def test_train_and_eval_reach_dropout_and_batch_norm() -> None:
    model = MODELS["convnet"].build()
    net = to_torch(model)
    x = tensors("convnet", 16)
    net.eval()
    assert torch.equal(net(x), net(x))
    mean = net.norm.moving_mean.clone()
    net.train()
    torch.manual_seed(0)
    first = net(x)
    assert not torch.equal(first, net(x)), "dropout draws anew"
    assert not torch.equal(net.norm.moving_mean, mean), "batch statistics are followed"
    torch.manual_seed(0)
    net.eval()
    mean = net.norm.moving_mean.clone()
    net(x)
    assert torch.equal(net.norm.moving_mean, mean), "and left alone in eval mode"


def test_one_submodule_can_be_frozen() -> None:
    net = to_torch(MODELS["convnet"].build()).train()
    net.norm.eval()
    mean = net.norm.moving_mean.clone()
    net(tensors("convnet", 16))
    assert torch.equal(net.norm.moving_mean, mean)


def test_an_optimiser_trains_the_model() -> None:
    model = MODELS["mlp"].build()
    net = to_torch(model)
    x, target = tensors("mlp", 32), torch.randint(0, 3, (32,))
    optimiser = torch.optim.SGD(net.parameters(), 0.5)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(net(x), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    with backend_scope("jax"):  # the same weights, read by another framework
        expected = np.asarray(model(x.numpy()))
    same(net(x), expected)
    assert optimiser.param_groups[0]["params"][0] is net.first.kernel, "the Parameter is still the same object"


def test_weights_changed_elsewhere_come_back_into_the_same_parameters() -> None:
    model = MODELS["mlp"].build()
    net = to_torch(model)
    kernel = net.first.kernel
    with backend_scope("jax"):
        model(call_inputs(MODELS["mlp"], 2))
        model.get_layer("first").kernel.assign(np.ones((6, 8)))
    net(tensors("mlp"))
    assert net.first.kernel is kernel
    assert torch.equal(kernel.detach(), torch.ones(6, 8))


def test_nested_in_a_users_module() -> None:
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = to_torch(MODELS["mlp"].build())
            self.head = torch.nn.Linear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.body(x))

    net = Net()
    assert [n for n, _ in net.named_parameters()][:2] == ["body.first.kernel", "body.first.bias"]
    net(tensors("mlp")).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_functional_call_and_vmap_see_their_parameters() -> None:
    net = to_torch(MODELS["mlp"].build())
    zeros = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    assert torch.func.functional_call(net, zeros, (tensors("mlp"),)).abs().max() == 0
    assert torch.func.vmap(lambda row: net(row[None])[0])(tensors("mlp")).shape == (3, 3)


def test_frozen_layers_have_frozen_parameters() -> None:
    model = MODELS["mlp"].build()
    model.get_layer("first").trainable = False
    net = to_torch(model)
    assert not net.first.kernel.requires_grad
    assert net.second.kernel.requires_grad


def test_a_shared_layer_is_one_module() -> None:
    x = Input((4,))
    shared = layers.Dense(4, name="shared")
    net = to_torch(Model(x, shared(shared(x))))
    assert list(net.state_dict()) == ["shared.kernel", "shared.bias"]


def test_a_single_layer() -> None:
    dense = layers.Dense(2)
    dense.build((None, 3))
    net = to_torch(dense)
    assert list(net.state_dict()) == ["kernel", "bias"]
    assert net(torch.ones(4, 3)).shape == (4, 2)


def test_a_deep_model_can_be_copied() -> None:
    x = y = Input((2,))
    for _ in range(400):
        y = layers.Dense(2)(y)
    net = copy.deepcopy(to_torch(Model(x, y)))
    assert len(list(net.parameters())) == 800
    assert net(torch.ones(1, 2)).shape == (1, 2)


def test_refuses_what_has_no_weights_yet() -> None:
    with pytest.raises(NotBuiltError, match="isn't built"):
        to_torch(Sequential([layers.Dense(2)]))


def test_refuses_what_is_no_layer() -> None:
    with pytest.raises(TypeError, match="takes a kbridge layer"):
        to_torch(torch.nn.Linear(2, 2))  # type: ignore[arg-type]
