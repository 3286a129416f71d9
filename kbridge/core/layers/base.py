"""The base of all layers: building, calling, and what a layer holds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from kbridge.core import constraints, initializers, regularizers
from kbridge.core.config import Configured, constructor_parameters
from kbridge.core.context import SYMBOLIC, decide, local, running
from kbridge.core.errors import NotBuiltError, ShapeError
from kbridge.core.graph.node import fresh, leaves, map_leaves, record_call
from kbridge.core.graph.operation import Operation
from kbridge.core.layers.free_sizes import followed
from kbridge.core.layers.masks import arriving_masks, leave_masks, mask_of, set_mask
from kbridge.core.layers.signature import build_names, call_signature
from kbridge.core.layers.tracking import attributes, own_variables, seed_generators
from kbridge.core.ops import operators as operators  # symbolic tensors and variables get theirs
from kbridge.core.ops.declare import homes, native
from kbridge.core.saving.config import serialize_keras_object
from kbridge.core.tensor.lens import Lens, laid_over
from kbridge.core.tensor.policy import policy_of
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable, spec_of
from kbridge.core.tensor.variable import is_tensor as is_tensor


def completed(build: Callable[..., None]) -> Callable[..., None]:
    """A `build` that may be called by hand too: in the layer's name scope, and the layer is built afterwards."""

    @functools.wraps(build)
    def complete(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self._building:  # a subclass calls its parent's
            build(self, *args, **kwargs)
            return
        self._building = True
        try:
            with self._scope():
                build(self, *args, **kwargs)
        finally:
            self._building = False
        given = {**dict(zip(build_names(build), args, strict=False)), **kwargs}
        self._build_shapes = {name: shape for name, shape in given.items() if shape is not None}
        self.built = True

    return complete


class Layer(Operation):
    """A function with weights.

    Subclasses give `__init__`, `build(input_shape)` (which makes weights with `add_weight`) and
    `call(inputs, ...)`. The config is recorded from the constructor's arguments.

    Args:
        activity_regularizer: adds a loss computed from the outputs.
        trainable: whether training changes the weights.
        dtype: a dtype name or a `DTypePolicy`.
        autocast: whether float inputs are cast to the compute type.
        name: a name, made up if None.
    """

    _citizen: Any  # the torch module that stands for this layer, once `to_torch` has made it
    supports_masking = False
    untracked: frozenset[str] = frozenset()  # attributes that hold nothing of the layer's own
    stored_when_none: frozenset[str] = frozenset()  # what the config says though it is the default

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = completed(cls.build)  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", None)
        width = kwargs.pop("input_dim", None)
        self._input_shape_arg = (width,) if shape is None and width is not None else shape
        if kwargs:
            raise TypeError(f"{type(self).__name__} has no argument {', '.join(map(repr, kwargs))}.")
        super().__init__(name)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.dtype_policy = policy_of(dtype)
        self.autocast = autocast
        self.built = self._building = False
        self._trainable = trainable
        self._called = False
        self._signature = call_signature(type(self).call)
        self._added: list[Variable] = []
        self._losses: list[Any] = []
        self._with_losses: list[Layer] = []  # the layers that added losses in the last outermost call
        self._build_shapes: dict[str, Any] = {}

    # --- what subclasses give ----------------------------------------------------------------------

    @completed
    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape."""

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs: the inputs' one for layers that support masking."""
        return previous_mask

    # --- weights -----------------------------------------------------------------------------------

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable that belongs to this layer."""
        if isinstance(shape, int):
            shape = (shape,)
        floating = dtype is None or "float" in str(dtype)
        default = "glorot_uniform" if floating else "zeros"
        variable = Variable(
            initializers.get(initializer if initializer is not None else default),
            shape=() if shape is None else tuple(shape),
            dtype=dtype or self.variable_dtype,
            trainable=trainable and self._trainable,
            autocast=autocast,
            aggregation=aggregation,
            name=name,
        )
        variable.created_trainable = trainable
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._added.append(variable)
        return variable

    def children(self) -> Iterator[tuple[str, Layer]]:
        """The layers that this layer holds, with the names under which it holds them."""
        for name, found in attributes(self):
            if isinstance(found, Layer):
                yield name, found

    def carried_variables(self) -> list[Variable]:
        """This layer's variables that aren't weights: the states of its random streams."""
        return [generator.state for _, generator in seed_generators(self)]

    def own_variables(self) -> Iterator[tuple[str, Variable]]:
        """The variables that this layer itself holds, with their names."""
        return own_variables(self)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        found: dict[int, Layer] = {}

        def visit(layer: Layer) -> None:
            if id(layer) in found:
                return
            found[id(layer)] = layer
            for _, child in layer.children():
                visit(child) if recursive else found.setdefault(id(child), child)

        visit(self)
        return [layer for layer in found.values() if include_self or layer is not self]

    @property
    def weights(self) -> list[Variable]:
        """All weights, this layer's first, then each inner layer's."""
        return _weights_of(self._flatten_layers())

    @property
    def variables(self) -> list[Variable]:
        """All weights and the states of random streams."""
        layers = self._flatten_layers()
        carried = [v for layer in layers for v in layer.carried_variables()]
        return list(dict.fromkeys(_weights_of(layers) + carried))

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return [v for v in self.variables if v.trainable] if self._trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training leaves alone: statistics, frozen weights, random states."""
        trained = set(self.trainable_variables)
        return [v for v in self.variables if v not in trained]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = set(self.trainable_weights)
        return [v for v in self.weights if v not in trained]

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer and the layers in it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for _, variable in layer.own_variables():
                if variable.created_trainable:
                    variable.trainable = value

    def get_weights(self) -> list[np.ndarray]:
        """The weights as NumPy arrays, in the order of `weights`."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights; nothing changes unless every one fits."""
        variables = self.weights
        if len(weights) != len(variables):
            hint = "" if variables else " It has no weights yet: build it first, by calling it on data."
            raise ShapeError(f"{self.name} has {len(variables)} weights and got {len(weights)}.{hint}")
        for variable, value in zip(variables, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ShapeError(f"{variable.path} has shape {variable.shape} and got {np.shape(value)}.")
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        if not self.built:
            raise NotBuiltError(f"{self.name} isn't built, so it has no weights to count. Call it on data first.")
        return sum(int(np.prod(variable.shape)) for variable in self.weights)

    # --- losses ------------------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add to the loss of the call in progress."""
        losses = loss if isinstance(loss, (list, tuple)) else [loss]
        if local.lens is not None and local.lens.losses is not None:
            local.lens.losses.extend((self, each) for each in losses)
            return
        self._losses.extend(losses)
        if local.loss_layers is not None:
            local.loss_layers.append(self)

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` and the regularizers of this layer and its inner layers add to the loss."""
        found = [loss for layer in self._flatten_layers() for loss in layer._added_losses_now()]
        for variable in self.trainable_weights:
            if variable.regularizer is not None:
                found.append(variable.regularizer(variable))
        return found

    def _added_losses_now(self) -> list[Any]:
        """What `add_loss` was given: in the last call, or since a lens that gathers losses was laid over."""
        gathered = None if local.lens is None else local.lens.losses
        return self._losses if gathered is None else [loss for layer, loss in gathered if layer is self]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    # --- facts -------------------------------------------------------------------------------------

    @property
    def dtype(self) -> str:
        """The type of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The type that the layer computes in."""
        return self.dtype_policy.compute_dtype

    @property
    def path(self) -> str:
        """The names of the layers around this one, and its own."""
        return "/".join((*local.names, self.name))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, ready for JSON."""
        config = Configured.get_config(self)
        kind: type = type(self)
        taken = constructor_parameters(kind)  # a constructor without **kwargs may take neither
        config |= {key: value for key, value in (("dtype", self.dtype_policy), ("name", self.name)) if key in taken}
        for name in {"autocast", "activity_regularizer"} - self.stored_when_none:
            if config.get(name) in (None, True):
                config.pop(name, None)
        return {name: serialize_keras_object(value) for name, value in config.items()}

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that `build` was called with: one as `input_shape`, several by name."""
        shapes = self._build_shapes
        if len(shapes) > 1:
            return {"shapes_dict": dict(shapes)}
        return {"input_shape": next(iter(shapes.values()))} if shapes else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with stored shapes."""
        if self.built or not config:
            return
        if config.get("shapes_dict"):
            self.build(**{name: _as_shape(shape) for name, shape in config["shapes_dict"].items()})
        elif config.get("input_shape") is not None:
            self.build(_as_shape(config["input_shape"]))

    # --- building ----------------------------------------------------------------------------------

    def _build_with(self, shapes: dict[str, Any]) -> None:
        wanted = build_names(type(self).build)
        if len(wanted) == 1:
            self.build(next(iter(shapes.values())))
        else:
            self.build(**{name: shapes[name] for name in wanted if name in shapes})

    def _follow_shapes(self, shapes: dict[str, Any]) -> None:
        """Run `call` on symbolic inputs of these shapes, which builds the layers inside."""
        specs = {name: _specs_of_shapes(shape, self.compute_dtype) for name, shape in shapes.items()}
        if len(specs) == 1:
            self._follow(tuple(specs.values()), {})
        else:
            self._follow((), {name.removesuffix("_shape"): spec for name, spec in specs.items()})

    def _note_shapes(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Remember what a call is built for that makes its weights itself."""
        given = self._signature.bound(args, kwargs)
        tensors = {name: value for name, value in given.items() if any(map(is_tensor, leaves(value)))}
        self._build_shapes = {f"{name}_shape": _shapes_of(value) for name, value in tensors.items()}
        self.built = True

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        wanted = build_names(type(self).build)
        given = self._signature.bound(args, kwargs)
        if len(wanted) == 1:
            first = next(iter(given.values()), None)
            shapes = {wanted[0]: _shapes_of(first)}
        else:
            shapes = {
                name: _shapes_of(given[name.removesuffix("_shape")])
                for name in wanted
                if given.get(name.removesuffix("_shape")) is not None
            }
        self._build_with(shapes)

    @contextmanager
    def _scope(self) -> Iterator[None]:
        before = local.names
        local.names = (*before, self.name)
        try:
            yield
        finally:
            local.names = before

    # --- calling -----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        backend = local.running
        if backend is None or backend is SYMBOLIC:
            return self._enter(args, kwargs)
        try:
            return self._call_on(backend, args, kwargs)
        except Exception as error:
            self._add_note(error, args, kwargs)
            raise

    def _enter(self, args: Any, kwargs: Any) -> Any:
        """A call at the outermost level, or inside a symbolic run."""
        given = args if len(args) == 1 and not kwargs and hasattr(args[0], "shape") else leaves((args, kwargs))
        if local.running is SYMBOLIC or any(isinstance(value, KerasTensor) for value in given):
            return self._call_symbolically(args, kwargs)
        for layer in self._with_losses:
            layer._losses.clear()
        before = local.masks, local.loss_layers
        local.running = decide(homes(given) if any(isinstance(v, Variable) for v in given) else given)
        local.masks, local.loss_layers = arriving_masks(given), []
        try:
            backend = local.running
            if backend.reveal is not None and (reveal := backend.reveal(given)) is not None:
                args, kwargs = map_leaves(reveal, (args, kwargs))
            outputs = self(*args, **kwargs)
            if local.masks:
                leave_masks(outputs)
            self._with_losses = local.loss_layers
            return outputs if backend.conceal is None else backend.conceal(outputs)
        finally:
            local.running = None
            local.masks, local.loss_layers = before

    def _call_on(self, backend: Any, args: Any, kwargs: Any) -> Any:
        ready = backend.ready
        for value in (*args, *kwargs.values()):
            if type(value) not in ready:
                args, kwargs = map_leaves(_to_native(backend), (args, kwargs))
                break
        if self.autocast and not local.keep_floats:
            args, kwargs = self._cast_inputs(backend, args, kwargs)
        if not self.built:
            self._build_for(args, kwargs)
        signature = self._signature
        if signature.masks and local.masks:
            kwargs = self._with_masks(signature, args, kwargs)
        training_before = local.training
        try:
            kwargs = self._with_training(signature, kwargs)
            outputs = self._run(args, kwargs)
        finally:
            local.training = training_before
        if self.activity_regularizer is not None:
            for output in leaves(outputs):
                self.add_loss(self.activity_regularizer(output))
        if local.masks or type(self).compute_mask is not Layer.compute_mask:
            self._pass_masks(args, outputs)
        return outputs

    def _run(self, args: Any, kwargs: Any) -> Any:
        """`call`, with variables read in the compute type, and named while inner layers are made."""
        lens = local.lens
        cast = self.compute_dtype if self.compute_dtype != self.variable_dtype else None
        if cast is not None or (lens is not None and lens.cast is not None):
            local.lens = Lens(None, cast) if lens is None else lens.casting(cast)
        try:
            plain = self._remat is None and self.quantization_mode is None
            call = self.call if plain else self._bound_call()
            if self._called:
                return call(*args, **kwargs)
            with self._scope():
                outputs = call(*args, **kwargs)
            self._called = True
            return outputs
        finally:
            local.lens = lens

    def _with_training(self, signature: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Settle `training`: the argument, else the outer call's, else the default of `call`."""
        training = kwargs.get("training")
        if training is not None:
            local.training = training
        else:
            training = resolve_training(self)
            if training is None:
                training = signature.default_training
        if signature.takes_training:
            return {**kwargs, "training": training}
        if "training" in kwargs:
            return {name: value for name, value in kwargs.items() if name != "training"}
        return kwargs

    def _cast_inputs(self, backend: Any, args: Any, kwargs: Any) -> Any:
        wanted = self.compute_dtype
        floats = backend.float_dtypes

        def cast(value: Any) -> Any:
            if type(value) in backend.ready and value is not None and value.dtype in floats:
                return value if backend.dtype_of(value) == wanted else backend.cast(value, wanted)
            return value

        if len(args) == 1 and type(args[0]) in backend.ready:
            args = (cast(args[0]),)
        else:
            args = map_leaves(cast, args)
        return args, (map_leaves(cast, kwargs) if kwargs else kwargs)

    def _with_masks(self, signature: Any, args: Any, kwargs: Any) -> dict[str, Any]:
        given = signature.bound(args, kwargs)
        found = {}
        for parameter, source in signature.masks.items():
            if given.get(parameter) is None and given.get(source) is not None:
                mask = map_leaves(mask_of, given[source])
                if any(m is not None for m in leaves(mask)):
                    found[parameter] = mask
        return {**kwargs, **found} if found else kwargs

    def _pass_masks(self, args: Any, outputs: Any) -> None:
        """Give the outputs their masks."""
        first = args[0] if args else None
        previous = map_leaves(mask_of, first)
        plain = type(self).compute_mask is Layer.compute_mask
        if plain and (not self.supports_masking or all(m is None for m in leaves(previous))):
            return
        masks = self.compute_mask(first, previous)
        if masks is None:
            return
        for output, mask in zip(leaves(outputs), leaves(masks), strict=False):
            if mask is not None:
                set_mask(output, mask)

    def _add_note(self, error: BaseException, args: Any, kwargs: Any) -> None:
        shapes = [tuple(v.shape) for v in leaves((args, kwargs)) if hasattr(v, "shape")]
        error.add_note(f"in layer {self.name!r} ({type(self).__name__}), called with shapes {shapes}")

    # --- symbolic calls ----------------------------------------------------------------------------

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        return self._call_symbolically(args, kwargs)

    def _call_symbolically(self, args: Any, kwargs: Any) -> Any:
        signature = self._signature
        try:
            if not self.built:
                self._build_for(args, kwargs)
            filled = self._with_masks(signature, args, kwargs) if signature.masks else kwargs
            outputs = map_leaves(fresh, self.compute_output_spec(*args, **filled))
            with running(SYMBOLIC):
                self._pass_masks(args, outputs)
        except Exception as error:
            self._add_note(error, args, kwargs)
            raise
        if local.running is SYMBOLIC:
            return outputs
        record_call(self, args, kwargs, outputs)
        self._inbound.append(leaves(outputs)[0].history[0])
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the outputs, as KerasTensors."""
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            shape = self.compute_output_shape(_shapes_of(args[0]))
            return _specs_of_shapes(shape, self.compute_dtype)
        return self._follow(args, kwargs)

    def _follow(self, args: Any, kwargs: Any) -> Any:
        """Run `call` on shapes only."""
        signature = self._signature
        cast = self.compute_dtype if self.autocast else None

        def standardize(value: Any) -> Any:
            if not is_tensor(value):
                return value
            spec = spec_of(value)
            dtype = cast if cast and "float" in spec.dtype else spec.dtype
            return KerasTensor(spec.shape, dtype, spec.sparse, spec.ragged)

        training_before = local.training
        with running(SYMBOLIC):
            args, kwargs = map_leaves(standardize, (args, kwargs))
            try:
                return followed(lambda args, more: self._run(args, self._with_training(signature, more)), args, kwargs)
            finally:
                local.training = training_before

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs for inputs of this shape."""
        inputs = _specs_of_shapes(input_shape, self.compute_dtype)
        if not self.built:
            self._build_for((inputs,), {})
        return _shapes_of(self.compute_output_spec(inputs))

    # --- pure calls --------------------------------------------------------------------------------

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call with these values in place of the variables' own, leaving the variables alone.

        Args:
            trainable_variables, non_trainable_variables: values in the order of the properties.
            return_losses: whether to return the added losses too.

        Returns:
            `(outputs, non_trainable_variables)`, with `losses` as a third if asked for.
        """
        if not self.built:
            raise NotBuiltError(f"{self.name} isn't built. Call it on data, or `build` it, first.")
        first, second = self.trainable_variables, self.non_trainable_variables
        for kind, variables, values in (
            ("trainable", first, trainable_variables),
            ("non-trainable", second, non_trainable_variables),
        ):
            if len(variables) != len(values):
                raise ShapeError(f"{self.name} has {len(variables)} {kind} variables and got {len(values)} values.")
        overlay = dict(zip((*first, *second), (*trainable_variables, *non_trainable_variables), strict=True))
        given = [v for v in leaves((args, kwargs)) if is_tensor(v)]
        backend = local.running or decide([*given, *overlay.values()])
        with running(backend), laid_over(overlay, losses=[]):
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else []
        results = (outputs, [overlay[v] for v in second])
        return (*results, losses) if return_losses else results

    # --- saving ------------------------------------------------------------------------------------

    def save_own_variables(self, store: Any) -> None:
        """Put this layer's own weights into a store, numbered."""
        for i, (_, variable) in enumerate(self.own_variables_in_order()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read this layer's own weights from a store."""
        variables = [v for _, v in self.own_variables_in_order()]
        if len(store.keys()) != len(variables):
            if not self.built and not variables:
                raise NotBuiltError(
                    f"Layer {self.name!r} was never built and has no weights, but the file holds "
                    f"{len(store.keys())} for it. Build it, or give it a `build_from_config`."
                )
            raise ShapeError(f"Layer {self.name!r} has {len(variables)} weights, the file holds {len(store.keys())}.")
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    def own_variables_in_order(self) -> list[tuple[str, Variable]]:
        """The layer's own variables, trainable ones first: the order of `weights` and of files."""
        own = list(self.own_variables())
        return sorted(own, key=lambda pair: not pair[1].created_trainable)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _weights_of(layers: list[Layer]) -> list[Variable]:
    """The weights that each layer itself holds; the trainable ones of a layer come first."""
    found: dict[Variable, None] = {}
    for layer in layers:
        own = [v for _, v in layer.own_variables()]
        found.update(dict.fromkeys(sorted(own, key=lambda v: not v.created_trainable)))
    return list(found)


def resolve_training(layer: Layer) -> bool | None:
    """What the outer call says about training; a torch module asks the layer's own module."""
    said = local.training
    return said(layer) if callable(said) else said


def _to_native(backend: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if type(value) in backend.ready or not is_tensor(value):
            return value
        return native(backend, value)

    return convert


def _shapes_of(value: Any) -> Any:
    """The shapes of nested tensors, nested alike."""
    if isinstance(value, dict):
        return {key: _shapes_of(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shapes_of(each) for each in value]
    if value is None or not hasattr(value, "shape"):
        return None if value is None else np.shape(value)
    shape = value.shape
    sizes = shape.as_list() if hasattr(shape, "as_list") else shape
    return tuple(s if s is None else int(s) for s in sizes)


def _as_shape(value: Any) -> Any:
    """A shape from JSON, where tuples have become lists."""
    if isinstance(value, dict):
        return {key: _as_shape(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)) and all(s is None or isinstance(s, int) for s in value):
        return tuple(value)
    return [_as_shape(each) for each in value] if isinstance(value, (list, tuple)) else value


def _specs_of_shapes(shape: Any, dtype: str) -> Any:
    if isinstance(shape, dict):
        return {key: _specs_of_shapes(each, dtype) for key, each in shape.items()}
    if isinstance(shape, (list, tuple)) and any(isinstance(s, (list, tuple, dict)) for s in shape):
        return [_specs_of_shapes(each, dtype) for each in shape]
    return KerasTensor(shape, dtype)
