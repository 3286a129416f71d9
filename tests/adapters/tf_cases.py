"""Small TensorFlow modules that every exporter of a TensorFlow function must write and run."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

FREE = None


class Case(NamedTuple):
    """A function of tensors and its inputs, each `(sizes, dtype)`; the first axis is the batch."""

    function: Any
    inputs: dict[str, tuple[tuple[int | None, ...], str]]


def weights(*shape, seed=0):
    """A variable, so that exporters meet variables and not constants."""
    return tf.Variable(np.random.default_rng(seed).normal(0, 0.4, shape).astype("float32"))


KERNEL, BIAS = weights(8, 5), weights(5)
FILTER, FILTER_BIAS = weights(3, 3, 3, 4), weights(4)
MEAN, SCALE = weights(4, seed=1), weights(4, seed=2)
TABLE = weights(11, 6)
PROJECT, BACK = weights(8, 2, 4), weights(2, 4, 8)
CELL_IN, CELL_STATE, CELL_BIAS = weights(3, 16), weights(4, 16, seed=3), weights(16)


def dense(x):
    return tf.nn.relu(tf.matmul(x, KERNEL) + BIAS)


def convnet(x):
    y = tf.nn.relu(tf.nn.conv2d(x, FILTER, 1, "SAME") + FILTER_BIAS)
    y = tf.nn.max_pool2d(y, 2, 2, "VALID")
    y = tf.nn.avg_pool2d(y, 3, 2, "SAME")
    return tf.reduce_mean(y, [1, 2])


def strided_conv(x):
    return tf.nn.bias_add(tf.nn.conv2d(x, FILTER, 2, "SAME"), FILTER_BIAS)


def dilated_conv(x):
    return tf.nn.conv2d(x, FILTER, 1, "VALID", dilations=2)


def batch_norm(x):
    return tf.nn.batch_normalization(x, MEAN, tf.square(SCALE), MEAN, SCALE, 1e-3)


def conv_batch_norm(x):
    return tf.nn.relu(batch_norm(tf.nn.conv2d(x, FILTER, 1, "SAME")))


def conv_fused_batch_norm(x):
    y = tf.nn.conv2d(x, FILTER, 1, "SAME")
    variance = tf.square(SCALE) + 0.5
    y, _, _ = tf.compat.v1.nn.fused_batch_norm(y, SCALE, MEAN, MEAN, variance, is_training=False)
    return tf.nn.relu(y)


def embedding(ids):
    return tf.gather(TABLE, ids)


def layer_norm(x):
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-5) * KERNEL[:, 0] + KERNEL[:, 1]


def heads(x):
    steps = tf.shape(x)[1] if x.shape[1] is None else x.shape[1]
    y = tf.matmul(x, tf.reshape(PROJECT, [8, 8]))
    return tf.transpose(tf.reshape(y, [-1, steps, 2, 4]), [0, 2, 1, 3])


def attention(x, mask):
    query = key = value = heads(x)
    scores = tf.matmul(query, key, transpose_b=True) * 0.5
    mask = tf.expand_dims(tf.expand_dims(mask, 1), 1)
    context = tf.matmul(tf.nn.softmax(tf.where(mask, scores, -1e9)), value)
    steps = tf.shape(x)[1] if x.shape[1] is None else x.shape[1]
    joined = tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, steps, 8])
    return tf.matmul(joined, tf.reshape(BACK, [8, 8]))


def einsum_attention(x):
    query = tf.einsum("btd,dhk->bthk", x, PROJECT)
    weights = tf.nn.softmax(tf.einsum("bthk,bshk->bhts", query, query) * 0.5)
    return tf.einsum("bthk,hkd->btd", tf.einsum("bhts,bshk->bthk", weights, query), BACK)


def infinite_mask(x, mask):
    return tf.nn.softmax(tf.where(mask, x, -np.inf)[:, 1:])


def safe_log(x):
    """The value that isn't chosen is NaN or infinite and must not leak."""
    return tf.where(x > 0.0, tf.math.log(x), x)


def lstm_step(inputs, state, memory):
    gates = inputs + tf.matmul(state, CELL_STATE)
    enter, forget, new, leave = tf.split(gates, 4, axis=1)
    memory = tf.sigmoid(forget) * memory + tf.sigmoid(enter) * tf.tanh(new)
    return tf.sigmoid(leave) * tf.tanh(memory), memory


def lstm_start(x):
    inputs = tf.transpose(tf.matmul(x, CELL_IN) + CELL_BIAS, [1, 0, 2])
    state = tf.zeros([tf.shape(x)[0], 4])
    return inputs, state


def lstm_loop(x):
    """All states and the last one, collected in a tensor that is as long as the loop."""
    inputs, state = lstm_start(x)
    steps = tf.shape(inputs)[0] if inputs.shape[0] is None else inputs.shape[0]
    states = tf.zeros([steps, tf.shape(x)[0], 4])

    def body(step, state, memory, states):
        state, memory = lstm_step(tf.gather(inputs, step), state, memory)
        at = tf.reshape(step, [1, 1])
        return step + 1, state, memory, tf.tensor_scatter_nd_update(states, at, state[tf.newaxis])

    start = [tf.constant(0), state, state, states]
    _, state, _, states = tf.while_loop(lambda step, *_: step < steps, body, start)
    return {"states": tf.transpose(states, [1, 0, 2]), "last": state}


def lstm_unrolled(x):
    inputs, state = lstm_start(x)
    memory, states = state, []
    for step in tf.unstack(inputs):
        state, memory = lstm_step(step, state, memory)
        states.append(state)
    return {"states": tf.stack(states, 1), "last": state}


def lstm_masked(x, mask):
    inputs, state = lstm_start(x)
    mask = tf.transpose(mask)

    def body(step, state, memory):
        here = tf.expand_dims(tf.gather(mask, step), 1)
        new_state, new_memory = lstm_step(tf.gather(inputs, step), state, memory)
        return step + 1, tf.where(here, new_state, state), tf.where(here, new_memory, memory)

    start = [tf.constant(0), state, state]
    return tf.while_loop(lambda step, *_: step < inputs.shape[0], body, start)[1]


@tf.function
def nested_call(x):
    return tf.tanh(tf.matmul(x, tf.reshape(PROJECT, [8, 8])))


def nested_loops(x):
    def outer(step, y):
        def inner(count, z):
            return count + 1, nested_call(z) + tf.cast(step, tf.float32)

        return step + 1, tf.while_loop(lambda count, _: count < 2, inner, [tf.constant(0), y])[1]

    return tf.while_loop(lambda step, _: step < 3, outer, [tf.constant(0), x])[1]


def embedding_loop(ids):
    def body(step, total):
        return step + 1, total + tf.gather(TABLE, tf.gather(ids, step, axis=1))

    start = [tf.constant(0), tf.zeros([tf.shape(ids)[0], 6])]
    return tf.while_loop(lambda step, _: step < 4, body, start)[1]


def branches(x):
    """Both branches have a constant that TensorFlow calls `cond/mul/y`."""
    return tf.cond(tf.reduce_sum(x) > 0.0, lambda: nested_call(x) * 3.0, lambda: x * 2.0)


def flatten(x):
    return tf.reshape(x, [-1, 24])


def reshape_by_shape(x):
    return tf.reshape(x, [tf.shape(x)[0], 4, -1])


def reshape_int64(x):
    sizes = tf.shape(x, out_type=tf.int64)
    return tf.reshape(x, tf.concat([sizes[:1], tf.constant([24], tf.int64)], 0))


def gelu(x):
    return 0.5 * x * (1.0 + tf.math.erf(x * 0.7071067811865476))


def slices(x):
    return x[:, 1:3], x[:, -1], x[..., ::2], x[:, ::-1], x[:, tf.newaxis]


def many_outputs(x):
    return [x * float(factor) for factor in range(12)]


def zoo(beta, alpha):
    """Names that are not in alphabetical order, and a dict of outputs."""
    return {"z": alpha - beta, "a": beta * 2.0, "m": tf.concat([alpha, beta], 1)}


def unused(spare, x):
    return {"x": x, "again": x, "fixed": tf.constant([1.0, 2.0])}


def classify(x):
    two = tf.math.top_k(x, 2).indices
    return {"best": tf.argmax(x, -1), "sure": tf.reduce_any(x > 1.0, -1), "two": two}


def identity(x):
    return x


def counts(ids, bytes):
    one_hot = tf.transpose(tf.one_hot(ids, 5), [0, 2, 1])
    return tf.reduce_sum(one_hot, -1), tf.cast(bytes, tf.float32) / 255.0, ids * 2 + 1


def joined(x, y):
    return tf.concat([tf.nn.silu(x), tf.stack([y, y], 1)[:, 0]], axis=1)


VECTOR = {"x": ((FREE, 8), "float32")}
IMAGE = ((FREE, 9, 9, 3), "float32")
SEQUENCE = ((FREE, 5, 3), "float32")
TOKENS = {"x": ((FREE, 5, 8), "float32"), "mask": ((FREE, 5), "bool")}
FREE_TOKENS = {"x": ((FREE, FREE, 8), "float32"), "mask": ((FREE, FREE), "bool")}

CASES = {
    "dense": Case(dense, VECTOR),
    "dense_rank3": Case(dense, {"x": ((FREE, 4, 8), "float32")}),
    "convnet": Case(convnet, {"image": IMAGE}),
    "convnet_free_image": Case(convnet, {"image": ((FREE, FREE, FREE, 3), "float32")}),
    "strided_conv": Case(strided_conv, {"image": IMAGE}),
    "dilated_conv": Case(dilated_conv, {"image": IMAGE}),
    "batch_norm": Case(batch_norm, {"x": ((FREE, 4), "float32")}),
    "conv_batch_norm": Case(conv_batch_norm, {"image": IMAGE}),
    "conv_fused_batch_norm": Case(conv_fused_batch_norm, {"image": IMAGE}),
    "embedding": Case(embedding, {"ids": ((FREE, 4), "int32")}),
    "embedding_int64": Case(embedding, {"ids": ((FREE, 4), "int64")}),
    "layer_norm": Case(layer_norm, {"x": ((FREE, 4, 8), "float32")}),
    "attention": Case(attention, TOKENS),
    "attention_free_time": Case(attention, FREE_TOKENS),
    "einsum_attention": Case(einsum_attention, {"x": ((FREE, 5, 8), "float32")}),
    "infinite_mask": Case(infinite_mask, {"x": ((FREE, 5), "float32"), "mask": ((FREE, 5), "bool")}),
    "safe_log": Case(safe_log, VECTOR),
    "lstm_loop": Case(lstm_loop, {"x": SEQUENCE}),
    "lstm_loop_free_time": Case(lstm_loop, {"x": ((FREE, FREE, 3), "float32")}),
    "lstm_unrolled": Case(lstm_unrolled, {"x": SEQUENCE}),
    "lstm_masked": Case(lstm_masked, {"x": SEQUENCE, "mask": ((FREE, 5), "bool")}),
    "nested_call": Case(nested_call, VECTOR),
    "nested_loops": Case(nested_loops, VECTOR),
    "embedding_loop": Case(embedding_loop, {"ids": ((FREE, 4), "int32")}),
    "branches": Case(branches, VECTOR),
    "flatten": Case(flatten, {"x": ((FREE, 2, 3, 4), "float32")}),
    "reshape_by_shape": Case(reshape_by_shape, {"x": ((FREE, 2, 3, 4), "float32")}),
    "reshape_int64": Case(reshape_int64, {"x": ((FREE, 2, 3, 4), "float32")}),
    "gelu": Case(gelu, VECTOR),
    "slices": Case(slices, {"x": ((FREE, 4, 8), "float32")}),
    "many_outputs": Case(many_outputs, VECTOR),
    "zoo": Case(zoo, {"beta": ((FREE, 4), "float32"), "alpha": ((FREE, 4), "float32")}),
    "unused": Case(unused, {"spare": ((FREE, 2), "float32"), "x": ((FREE, 3), "float32")}),
    "classify": Case(classify, VECTOR),
    "counts": Case(counts, {"ids": ((FREE, 4), "int32"), "bytes": ((FREE, 3), "uint8")}),
    "identity": Case(identity, VECTOR),
    "joined": Case(joined, {"x": ((FREE, 4), "float32"), "y": ((FREE, 8), "float32")}),
    "named_like/a.path": Case(dense, {"block.0/x": ((FREE, 8), "float32")}),
}


def module_of(case: Case) -> tuple[tf.Module, Any]:
    """A module that owns the weights, and the case's concrete function."""
    module = tf.Module()
    module.weights = [value for value in globals().values() if isinstance(value, tf.Variable)]
    signature = [tf.TensorSpec(shape, dtype, name) for name, (shape, dtype) in case.inputs.items()]
    module.serve = tf.function(case.function, input_signature=signature)
    return module, module.serve.get_concrete_function()


def arrays(case: Case, batch: int) -> list[np.ndarray]:
    """Inputs for a case; free sizes other than the batch are 7."""
    random = np.random.default_rng(batch)
    made = []
    for shape, dtype in case.inputs.values():
        sizes = [batch if axis == 0 else size or 7 for axis, size in enumerate(shape)]
        if dtype == "float32":
            made.append(random.normal(size=sizes).astype(dtype))
        elif dtype == "bool":
            made.append(random.random(sizes) < 0.8)
        else:
            made.append(random.integers(0, 5, sizes).astype(dtype))
    return made


def expected(function: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """What TensorFlow itself computes."""
    return [output.numpy() for output in tf.nest.flatten(function(*map(tf.constant, inputs)))]
