"""Ops that compute for long: against the framework's own best call, forward and backward.

torch runs eagerly; JAX under jit and TensorFlow in a tf.function, as training runs them.
"""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from benchmarks.api import BACKENDS, finished, keras_like, to_framework
from benchmarks.table import Figure, Row
from benchmarks.turns import Options, side_by_side, started
from benchmarks.worker import Prepared, Spec, per_call

BAR = 1.05
random = np.random.default_rng(0)


def floats(*sizes: int) -> np.ndarray:
    return random.normal(size=sizes).astype("float32")


def whole(high: int, *sizes: int) -> np.ndarray:
    return random.integers(0, high, sizes).astype("int32")


class Case(NamedTuple):
    """Inputs, what makes the call of a module with the Keras API, whether it has a backward pass, who can't run it.

    The inputs are of a size at which the way to the kernel no longer counts: `op_dispatch` measures that.
    """

    arrays: tuple[np.ndarray, ...]
    make: Callable[[Any], Callable[..., Any]]
    without: tuple[str, ...] = ()


class Lstm:
    """A layer. JAX trains with weights that it hands in, torch and TensorFlow with those that a layer holds."""

    def __init__(self, keras: Any) -> None:
        self.layer = keras.layers.LSTM(UNITS, return_sequences=True)
        self.layer.build((BATCH, STEPS, FEATURES))
        self.weights = [v.value for v in self.layer.trainable_variables]
        self.others = [v.value for v in self.layer.non_trainable_variables]

    def __call__(self, x: Any, *weights: Any) -> Any:
        return self.layer.stateless_call(list(weights), self.others, x)[0] if weights else self.layer(x)


BATCH, STEPS, FEATURES, UNITS = 32, 128, 128, 256
CASES = {
    "conv2d NHWC": Case(
        (floats(8, 32, 32, 32), floats(3, 3, 32, 64)),
        lambda keras: lambda x, w: keras.ops.conv(x, w, 1, "same", "channels_last"),
    ),
    "conv2d NCHW": Case(
        (floats(8, 32, 32, 32), floats(3, 3, 32, 64)),
        lambda keras: lambda x, w: keras.ops.conv(x, w, 1, "same", "channels_first"),
        without=("tensorflow",),  # its CPU has no such kernel
    ),
    "depthwise": Case(
        (floats(8, 96, 96, 64), floats(3, 3, 64, 1)),
        lambda keras: lambda x, w: keras.ops.depthwise_conv(x, w, 1, "same", "channels_last"),
    ),
    "attention": Case(
        (floats(4, 128, 8, 32), floats(4, 128, 8, 32), floats(4, 128, 8, 32)),
        lambda keras: lambda q, k, v: keras.ops.dot_product_attention(q, k, v),
    ),
    "batched matmul": Case(
        (floats(32, 128, 128), floats(32, 128, 128)), lambda keras: lambda x, y: keras.ops.matmul(x, y)
    ),
    "softmax cross-entropy": Case(
        (floats(1024, 1000), whole(1000, 1024)),
        lambda keras: lambda x, y: keras.ops.sparse_categorical_crossentropy(y, x, from_logits=True),
    ),
    "layer norm": Case(
        (floats(64, 128, 256), floats(256), floats(256)),
        lambda keras: lambda x, gamma, beta: keras.ops.layer_normalization(
            x, gamma, beta, axis=-1, epsilon=1e-3
        ),
    ),
    "LSTM scan": Case(
        (
            floats(BATCH, STEPS, FEATURES), floats(FEATURES, 4 * UNITS) / 8, floats(UNITS, 4 * UNITS) / 16,
            floats(4 * UNITS),
        ),
        Lstm,
    ),
    "sort": Case((floats(64, 1000),), lambda keras: lambda x: keras.ops.sort(x, axis=-1)),
    "top_k": Case((floats(256, 4000),), lambda keras: lambda x: keras.ops.top_k(x, 10)[0]),
    "resize": Case(
        (floats(8, 64, 64, 16),),
        lambda keras: lambda x: keras.ops.image.resize(
            x, (128, 128), interpolation="bilinear", data_format="channels_last"
        ),
    ),
    "cumsum": Case((floats(1024, 1000),), lambda keras: lambda x: keras.ops.cumsum(x, axis=-1)),
    "gather": Case(
        (floats(20000, 512), whole(20000, 8192)), lambda keras: lambda x, i: keras.ops.take(x, i, axis=0)
    ),
    "scatter": Case(
        (floats(20000, 256), random.permutation(20000)[:4096, None].astype("int32"), floats(4096, 256)),
        lambda keras: lambda x, i, u: keras.ops.scatter_update(x, i, u),
    ),
}  # fmt: skip


def torch_calls() -> dict[str, Callable[..., Any]]:
    import torch
    import torch.nn.functional as F

    def first(function: Callable[..., Any]) -> Callable[..., Any]:
        """`function` of channels-first tensors on channels-last ones, whose strides torch reads as they are."""
        return lambda x, *rest: function(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1)

    def scatter(x: Any, i: Any, u: Any) -> Any:
        return torch.index_put(x, (i[:, 0].long(),), u)

    def lstm(x: Any, w: Any, r: Any, b: Any) -> Any:
        """What `nn.LSTM` calls, with its weights, which lie the other way round."""
        start = x.new_zeros(1, BATCH, UNITS)
        return torch.lstm(x, (start, start), [w, r, b, torch.zeros_like(b)], True, 1, 0.0, False, False, True)[0]

    return {
        "conv2d NHWC": first(lambda x, w: F.conv2d(x, w.permute(3, 2, 0, 1), padding=1)),
        "conv2d NCHW": lambda x, w: F.conv2d(x, w.permute(3, 2, 0, 1), padding=1),
        "depthwise": first(lambda x, w: F.conv2d(x, w.permute(2, 3, 0, 1), padding=1, groups=64)),
        "attention": lambda q, k, v: F.scaled_dot_product_attention(*(t.transpose(1, 2) for t in (q, k, v))).transpose(
            1, 2
        ),
        "batched matmul": torch.matmul,
        "softmax cross-entropy": lambda x, y: F.cross_entropy(x, y.long(), reduction="none"),
        "layer norm": lambda x, gamma, beta: F.layer_norm(x, (256,), gamma, beta, 1e-3),
        "LSTM scan": lstm,
        "sort": lambda x: torch.sort(x, -1).values,
        "top_k": lambda x: torch.topk(x, 10).values,
        "resize": first(lambda x: F.interpolate(x, (128, 128), mode="bilinear", align_corners=False)),
        "cumsum": lambda x: torch.cumsum(x, -1),
        "gather": lambda x, i: torch.index_select(x, 0, i),
        "scatter": scatter,
    }


def jax_calls() -> dict[str, Callable[..., Any]]:
    import jax
    import jax.numpy as jnp

    def conv(layout: str, groups: int = 1) -> Callable[..., Any]:
        def call(x: Any, w: Any) -> Any:
            w = w.reshape(3, 3, 1, groups) if groups > 1 else w
            names = (layout, "HWIO", layout)
            return jax.lax.conv_general_dilated(
                x, w, (1, 1), "SAME", dimension_numbers=names, feature_group_count=groups
            )

        return call

    def cross_entropy(x: Any, y: Any) -> Any:
        """As optax has it."""
        return jax.nn.logsumexp(x, -1) - jnp.take_along_axis(x, y[:, None], 1)[:, 0]

    def layer_norm(x: Any, gamma: Any, beta: Any) -> Any:
        away = x - x.mean(-1, keepdims=True)
        return away * jax.lax.rsqrt((away * away).mean(-1, keepdims=True) + 1e-3) * gamma + beta

    def lstm(x: Any, w: Any, r: Any, b: Any) -> Any:
        """One product a step: on a CPU faster than the inputs' products before the loop."""
        both = jnp.concatenate([w, r])

        def step(carry: Any, now: Any) -> Any:
            h, c = carry
            i, f, g, o = jnp.split(jnp.concatenate([now, h], 1) @ both + b, 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        start = jnp.zeros((BATCH, UNITS), x.dtype)
        return jax.lax.scan(step, (start, start), x.swapaxes(0, 1))[1].swapaxes(0, 1)

    return {
        "conv2d NHWC": conv("NHWC"),
        "conv2d NCHW": conv("NCHW"),
        "depthwise": conv("NHWC", 64),
        "attention": jax.nn.dot_product_attention,
        "batched matmul": jnp.matmul,
        "softmax cross-entropy": cross_entropy,
        "layer norm": layer_norm,
        "LSTM scan": lstm,
        "sort": jnp.sort,
        "top_k": lambda x: jax.lax.top_k(x, 10)[0],
        "resize": lambda x: jax.image.resize(x, (8, 128, 128, 16), "bilinear"),
        "cumsum": lambda x: jnp.cumsum(x, -1),
        "gather": lambda x, i: jnp.take(x, i, 0),
        "scatter": lambda x, i, u: x.at[i[:, 0]].set(u),
    }


def tensorflow_calls() -> dict[str, Callable[..., Any]]:
    import tensorflow as tf

    def attention(q: Any, k: Any, v: Any) -> Any:
        q, k, v = (tf.transpose(t, (0, 2, 1, 3)) for t in (q, k, v))
        shares = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * 32**-0.5)
        return tf.transpose(tf.matmul(shares, v), (0, 2, 1, 3))

    def layer_norm(x: Any, gamma: Any, beta: Any) -> Any:
        """Faster than by tf.nn.moments and tf.nn.batch_normalization."""
        away = x - tf.reduce_mean(x, -1, keepdims=True)
        spread = tf.reduce_mean(away * away, -1, keepdims=True)
        return away * tf.math.rsqrt(spread + 1e-3) * gamma + beta

    def lstm(x: Any, w: Any, r: Any, b: Any) -> Any:
        z = tf.reshape(tf.transpose(x, (1, 0, 2)), (-1, FEATURES)) @ w + b
        z = tf.reshape(z, (STEPS, BATCH, 4 * UNITS))
        zs = tf.TensorArray(x.dtype, STEPS, element_shape=(BATCH, 4 * UNITS)).unstack(z)
        hs = tf.TensorArray(x.dtype, STEPS, element_shape=(BATCH, UNITS))

        def step(t: Any, h: Any, c: Any, hs: Any) -> Any:
            i, f, g, o = tf.split(zs.read(t) + h @ r, 4, -1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
            return t + 1, h, c, hs.write(t, h)

        start = tf.zeros((BATCH, UNITS), x.dtype)
        loop = tf.while_loop(lambda t, *_: t < STEPS, step, (0, start, start, hs), maximum_iterations=STEPS)
        return tf.transpose(loop[3].stack(), (1, 0, 2))

    # in lambdas: a tf.function takes a call's defaults for arguments, and is slow with many
    return {
        "conv2d NHWC": lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"),
        "depthwise": lambda x, w: tf.nn.depthwise_conv2d(x, w, (1, 1, 1, 1), "SAME"),
        "attention": attention,
        "batched matmul": lambda x, y: tf.matmul(x, y),
        "softmax cross-entropy": lambda x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(y, x),
        "layer norm": layer_norm,
        "LSTM scan": lstm,
        "sort": lambda x: tf.sort(x),
        "top_k": lambda x: tf.math.top_k(x, 10)[0],
        "resize": lambda x: tf.image.resize(x, (128, 128)),
        "cumsum": lambda x: tf.cumsum(x, -1),
        "gather": lambda x, i: tf.gather(x, i),
        "scatter": lambda x, i, u: tf.tensor_scatter_nd_update(x, i, u),
    }


NATIVE = {"torch": torch_calls, "jax": jax_calls, "tensorflow": tensorflow_calls}


def in_training(
    backend: str, call: Callable[..., Any], tensors: list[Any], held: list[Any], backward: bool
) -> Callable[[], Any]:
    """The call as the framework trains with it; with `backward`, the gradients of a loss, also by what is held.

    The loss is the sum of squares: the gradient of a mere sum is a constant, which compilers fold.
    """
    moving = [i for i, t in enumerate(tensors) if "float" in str(t.dtype)]
    if backend == "torch":
        import torch

        if not backward:
            return torch.no_grad()(lambda: call(*tensors))
        leaves = [t.requires_grad_() if i in moving else t for i, t in enumerate(tensors)]
        return lambda: torch.autograd.grad(call(*leaves).square().sum(), [*(leaves[i] for i in moving), *held])
    if backend == "jax":
        import jax

        function = jax.grad(lambda *xs: (call(*xs) ** 2).sum(), tuple(moving)) if backward else call
        compiled = jax.jit(function)
        return lambda: compiled(*tensors)
    import tensorflow as tf

    def gradients(*xs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([xs[i] for i in moving])
            total = tf.reduce_sum(tf.square(call(*xs)))
        return tape.gradient(total, [*(xs[i] for i in moving), *held])

    traced = tf.function(gradients if backward else call, autograph=False)
    return lambda: traced(*tensors)


def inputs(spec: Spec, case: Case) -> list[Any]:
    """The case's arrays in the framework; torch's own LSTM wants its matrices transposed."""
    arrays = list(case.arrays)
    if case.make is Lstm and (spec.side, spec.backend) == ("native", "torch"):
        arrays[1:3] = [np.ascontiguousarray(a.T) for a in arrays[1:3]]
    return [to_framework(spec.backend, a) for a in arrays]


def prepare(spec: Spec) -> Prepared:
    """Worker: forward, or forward and backward, the result waited for."""
    name, _, way = spec.case.partition(", ")
    case, backward, held = CASES[name], way == "backward", []
    tensors = inputs(spec, case)
    if spec.side == "native":
        call = NATIVE[spec.backend]()[name]
    else:
        keras, scope = keras_like(spec.side, spec.backend)
        with scope():
            call = case.make(keras)
            if case.make is Lstm and spec.backend != "jax":
                tensors, held = tensors[:1], call.weights
    run, wait = in_training(spec.backend, call, tensors, held, backward), finished(spec.backend)
    return Prepared(per_call(lambda: wait(run()), spec.duration))


def figure(options: Options) -> Figure:
    """Time of each side and kbridge's ratio to the framework's own call."""
    result = Figure("op_heavy", "Ops that compute for long", ["native", "Keras", "kbridge"], "kbridge / native")
    rows = {}
    for backend in BACKENDS:
        with started(2, backend, options) as processes:
            for name, way in product(CASES, ("forward", "backward")):
                if backend in CASES[name].without:
                    continue
                outcome = side_by_side("op_heavy", backend, f"{name}, {way}", options, processes=processes)
                cells = [outcome["native"], outcome["keras"], outcome["kbridge"]]
                ratio = outcome.ratio("kbridge", "native")
                rows[name, way, backend] = Row(f"{name}, {way}, {backend}", cells, ratio, BAR)
                result.notes += outcome.errors
    places = product(CASES, ("forward", "backward"), BACKENDS)
    result.rows = [rows[place] for place in places if place in rows]
    return result
