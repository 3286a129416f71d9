"""Layers in their configurations: what each row makes, from kbridge or from Keras, and what it is called with.

A table: laws read it, so it is as long as there are configurations.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Floats:
    """Normal draws of a shape, batch first."""

    shape: tuple[int, ...]
    zero_steps: tuple[int, ...] = ()  # steps that are all zeros, for Masking

    dtype = "float32"

    def array(self, rng: np.random.Generator) -> np.ndarray:
        values = rng.normal(size=self.shape).astype(self.dtype)
        values[:, list(self.zero_steps)] = 0
        return values


@dataclass(frozen=True)
class Ints:
    """Whole numbers below `high`; `padded` of each sample's last ones are 0."""

    shape: tuple[int, ...]
    high: int
    padded: int = 0
    dtype: str = "int32"

    def array(self, rng: np.random.Generator) -> np.ndarray:
        values = rng.integers(1, self.high, self.shape).astype(self.dtype)
        if self.padded:
            values[0, -self.padded :] = 0
        return values


@dataclass(frozen=True)
class Mask:
    """True and False; the first along the last axis is always True."""

    shape: tuple[int, ...]

    dtype = "bool"

    def array(self, rng: np.random.Generator) -> np.ndarray:
        values = rng.random(self.shape) < 0.6
        values[..., 0] = True
        return values


SPECS = (Floats, Ints, Mask)


@dataclass(frozen=True)
class Row:
    """A layer and its inputs.

    Attributes:
        name: unique.
        make: the layer, from the module `kbridge` or `keras`.
        args, kwargs: what it is called with, specs standing for arrays.
        random: whether training draws random numbers.
        batch: whether the batch may be free in symbolic calls.
        gap: what Keras does otherwise and why; then there is no comparison with it.
    """

    name: str
    make: Callable[[Any], Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    random: bool = False
    batch: bool = True
    gap: str = ""

    def filled(self, fill: Callable[[Any], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with `fill(spec)` for each spec."""

        def put(value: Any) -> Any:
            if isinstance(value, SPECS):
                return fill(value)
            return [put(v) for v in value] if isinstance(value, list) else value

        return tuple(put(v) for v in self.args), {k: put(v) for k, v in self.kwargs.items()}

    def arrays(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as NumPy arrays, the same in every process."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        return self.filled(lambda spec: spec.array(rng))

    def weights_for(self, layer: Any) -> list[np.ndarray]:
        """Weights that no initializer gives, so that biases and statistics count; variances are positive."""
        rng = np.random.default_rng(zlib.crc32(b"weights of " + self.name.encode()))
        drawn = [(v, rng.normal(size=v.shape).astype("float32") * 0.5) for v in layer.weights]
        return [np.abs(w) + 0.5 if "variance" in v.path else w for v, w in drawn]


X = Floats((2, 5, 4))  # a sequence
IMAGE = Floats((2, 7, 6, 4))
FIRST = Floats((2, 4, 7, 6))  # channels first
VOLUME = Floats((2, 4, 5, 4, 2))
FLAT = Floats((3, 6))
WORDS = Ints((2, 5), 7, padded=2)


def _masked(layer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A layer behind an Embedding that masks zeros."""
    return lambda K: K.Sequential([K.layers.Embedding(7, 4, mask_zero=True), layer(K)])


def _attending(K: Any) -> Any:
    words = K.Input((5,), dtype="int32")
    x = K.layers.Embedding(7, 4, mask_zero=True)(words)
    y = K.layers.MultiHeadAttention(2, 3, dropout=0.3)(x, x)
    return K.Model(words, K.layers.GlobalAveragePooling1D()(y))


def scaled(x: Any, by: float = 2.0) -> Any:
    return x * by


def first_steps(x: Any, training: Any = None) -> Any:
    return x[:, :2] * 2 if training else x[:, :2]


def _own(K: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that files of either side may name."""
    return K.saving.register_keras_serializable("rows")(function)


LAMBDA = [
    Row("lambda", lambda K: K.layers.Lambda(_own(K, scaled), arguments={"by": 3.0}), (X,)),
    Row("lambda by a public name", lambda K: K.layers.Lambda(K.activations.relu), (X,)),
    Row("lambda output_shape", lambda K: K.layers.Lambda(_own(K, first_steps), output_shape=(2, 4)), (X,)),
    Row(
        "lambda mask",
        lambda K: K.Sequential(
            [
                K.layers.Lambda(_own(K, scaled), mask=np.array([[True, True, False, True, False]] * 2)),
                K.layers.LSTM(3),
            ]
        ),
        (X,),
        batch=False,
        gap="Keras's Lambda leaves the mask of a file as the JSON that it was",
    ),
]

DENSE = [
    Row("dense", lambda K: K.layers.Dense(3, "tanh"), (FLAT,)),
    Row("dense on sequences", lambda K: K.layers.Dense(3, use_bias=False), (X,)),
    Row(
        "einsum_dense as a product", lambda K: K.layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), (X,)
    ),
    Row("einsum_dense with dots", lambda K: K.layers.EinsumDense("...x,xy->...y", 3, "relu", "y"), (IMAGE,)),
    Row("einsum_dense otherwise", lambda K: K.layers.EinsumDense("abc,bd->adc", (3, 4), bias_axes="d"), (X,)),
    Row("embedding", lambda K: K.layers.Embedding(7, 3), (WORDS,)),
    Row("embedding of floats", lambda K: K.layers.Embedding(1, 3), (Floats((2, 3), zero_steps=(0, 1, 2)),)),
    Row("rescaling", lambda K: K.layers.Rescaling(1 / 255, 0.5), (Ints((2, 4, 4, 3), 255, dtype="uint8"),)),
    Row("rescaling each channel", lambda K: K.layers.Rescaling([0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0]), (IMAGE,)),
    Row("identity", lambda K: K.layers.Identity(), (X,)),
]

CONV = [
    Row("conv1d", lambda K: K.layers.Conv1D(3, 2, activation="relu"), (X,)),
    Row("conv1d causal", lambda K: K.layers.Conv1D(3, 2, padding="causal", dilation_rate=2), (X,)),
    Row("conv1d causal strided", lambda K: K.layers.Conv1D(3, 3, strides=2, padding="causal"), (X,)),
    Row("conv2d valid", lambda K: K.layers.Conv2D(3, 3), (IMAGE,)),
    Row("conv2d same strided", lambda K: K.layers.Conv2D(3, 3, strides=2, padding="same", use_bias=False), (IMAGE,)),
    Row("conv2d even window", lambda K: K.layers.Conv2D(3, (2, 4), padding="same"), (IMAGE,)),
    Row("conv2d strides", lambda K: K.layers.Conv2D(3, 2, strides=(2, 1)), (IMAGE,)),
    Row("conv2d dilated", lambda K: K.layers.Conv2D(3, 3, dilation_rate=(2, 1), padding="same"), (IMAGE,)),
    Row("conv2d groups", lambda K: K.layers.Conv2D(6, 3, groups=2), (IMAGE,)),
    Row(
        # not 3 filters: where the width is that too, Keras on TensorFlow adds the bias along the width
        "conv2d channels_first",
        lambda K: K.layers.Conv2D(5, 3, strides=2, padding="same", data_format="channels_first"),
        (FIRST,),
    ),
    Row("conv3d", lambda K: K.layers.Conv3D(3, 2, padding="same"), (VOLUME,)),
    Row("conv1d_transpose", lambda K: K.layers.Conv1DTranspose(3, 4, strides=2, activation="relu"), (X,)),
    Row("conv1d_transpose dilated", lambda K: K.layers.Conv1DTranspose(3, 3, padding="same", dilation_rate=2), (X,)),
    Row("conv2d_transpose", lambda K: K.layers.Conv2DTranspose(3, 3), (IMAGE,)),
    Row(
        "conv2d_transpose same strided",
        lambda K: K.layers.Conv2DTranspose(3, (3, 4), strides=2, padding="same", use_bias=False),
        (IMAGE,),
    ),
    Row(
        "conv2d_transpose output_padding",
        lambda K: K.layers.Conv2DTranspose(3, 3, strides=(2, 3), padding="same", output_padding=(1, 0)),
        (IMAGE,),
    ),
    Row(
        "conv2d_transpose channels_first",
        lambda K: K.layers.Conv2DTranspose(5, 3, strides=2, data_format="channels_first"),
        (FIRST,),
    ),
    Row("conv3d_transpose", lambda K: K.layers.Conv3DTranspose(3, 2, strides=2, padding="same"), (VOLUME,)),
]

POOL = [
    Row("max_pooling1d", lambda K: K.layers.MaxPooling1D(2, padding="same"), (X,)),
    Row("max_pooling2d", lambda K: K.layers.MaxPooling2D(), (IMAGE,)),
    Row("max_pooling2d same", lambda K: K.layers.MaxPooling2D(3, strides=2, padding="same"), (IMAGE,)),
    Row("max_pooling2d strides", lambda K: K.layers.MaxPooling2D((2, 3), strides=1), (IMAGE,)),
    Row(
        "max_pooling2d channels_first",
        lambda K: K.layers.MaxPooling2D(2, padding="same", data_format="channels_first"),
        (FIRST,),
    ),
    Row("max_pooling3d", lambda K: K.layers.MaxPooling3D(2), (VOLUME,)),
    Row("average_pooling1d", lambda K: K.layers.AveragePooling1D(2), (X,)),
    Row("average_pooling2d", lambda K: K.layers.AveragePooling2D(2), (IMAGE,)),
    Row("average_pooling2d same", lambda K: K.layers.AveragePooling2D(3, strides=2, padding="same"), (IMAGE,)),
    Row("average_pooling3d", lambda K: K.layers.AveragePooling3D(2, padding="same"), (VOLUME,)),
    Row("global_average_pooling1d", lambda K: K.layers.GlobalAveragePooling1D(), (X,)),
    Row("global_average_pooling1d mask", lambda K: K.layers.GlobalAveragePooling1D(), (X,), {"mask": Mask((2, 5))}),
    Row("global_average_pooling2d", lambda K: K.layers.GlobalAveragePooling2D(), (IMAGE,)),
    Row(
        "global_average_pooling2d keepdims",
        lambda K: K.layers.GlobalAveragePooling2D("channels_first", keepdims=True),
        (FIRST,),
    ),
    Row("global_average_pooling3d", lambda K: K.layers.GlobalAveragePooling3D(), (VOLUME,)),
    Row("global_max_pooling1d", lambda K: K.layers.GlobalMaxPooling1D(), (X,)),
    Row("global_max_pooling2d", lambda K: K.layers.GlobalMaxPooling2D(keepdims=True), (IMAGE,)),
    Row("global_max_pooling3d", lambda K: K.layers.GlobalMaxPooling3D(), (VOLUME,)),
]

NORM = [
    Row("batch_normalization", lambda K: K.layers.BatchNormalization(momentum=0.8), (IMAGE,)),
    Row("batch_normalization of vectors", lambda K: K.layers.BatchNormalization(scale=False, epsilon=1e-2), (FLAT,)),
    Row("batch_normalization axis 1", lambda K: K.layers.BatchNormalization(axis=1, center=False), (FIRST,)),
    Row("batch_normalization mask", lambda K: K.layers.BatchNormalization(), (X,), {"mask": Mask((2, 5))}),
    Row("layer_normalization", lambda K: K.layers.LayerNormalization(), (X,)),
    Row("layer_normalization two axes", lambda K: K.layers.LayerNormalization([1, 2], epsilon=1e-5), (X,)),
    Row("layer_normalization inner axis", lambda K: K.layers.LayerNormalization(1, center=False), (IMAGE,)),
    Row("layer_normalization plain", lambda K: K.layers.LayerNormalization(center=False, scale=False), (X,)),
    Row("rms_normalization", lambda K: K.layers.RMSNormalization(), (X,)),
]

RESHAPE = [
    Row("flatten", lambda K: K.layers.Flatten(), (IMAGE,)),
    Row("flatten channels_first", lambda K: K.layers.Flatten("channels_first"), (FIRST,)),
    Row("reshape", lambda K: K.layers.Reshape((4, 5)), (X,)),
    Row("reshape free", lambda K: K.layers.Reshape((-1, 2)), (X,)),
    Row("permute", lambda K: K.layers.Permute((3, 1, 2)), (IMAGE,)),
    Row("repeat_vector", lambda K: K.layers.RepeatVector(3), (FLAT,)),
    Row("zero_padding1d", lambda K: K.layers.ZeroPadding1D((1, 2)), (X,)),
    Row("zero_padding2d", lambda K: K.layers.ZeroPadding2D(((1, 0), (2, 3))), (IMAGE,)),
    Row("zero_padding3d", lambda K: K.layers.ZeroPadding3D((1, 0, 2)), (VOLUME,)),
    Row("cropping1d", lambda K: K.layers.Cropping1D((1, 2)), (X,)),
    Row("cropping2d", lambda K: K.layers.Cropping2D(((1, 0), (2, 1)), data_format="channels_first"), (FIRST,)),
    Row("cropping3d", lambda K: K.layers.Cropping3D(1), (VOLUME,)),
    Row("up_sampling1d", lambda K: K.layers.UpSampling1D(3), (X,)),
    Row("up_sampling2d", lambda K: K.layers.UpSampling2D((2, 3)), (IMAGE,)),
    Row("up_sampling3d", lambda K: K.layers.UpSampling3D(2), (VOLUME,)),
]

ACTIVATION = [
    Row("activation", lambda K: K.layers.Activation("gelu"), (X,)),
    Row("re_lu", lambda K: K.layers.ReLU(), (X,)),
    Row("re_lu bounded", lambda K: K.layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), (X,)),
    Row("leaky_re_lu", lambda K: K.layers.LeakyReLU(0.2), (X,)),
    Row("elu", lambda K: K.layers.ELU(0.7), (X,)),
    Row("p_re_lu", lambda K: K.layers.PReLU(shared_axes=[1]), (X,)),
    Row("softmax", lambda K: K.layers.Softmax(), (X,)),
    Row("softmax two axes", lambda K: K.layers.Softmax((1, 2)), (X,)),
    Row("softmax mask", lambda K: K.layers.Softmax(), (X,), {"mask": Mask((2, 5, 4))}),
    Row("dropout", lambda K: K.layers.Dropout(0.4, seed=1), (X,), random=True),
    Row("dropout of nothing", lambda K: K.layers.Dropout(0.0), (X,)),
    Row("spatial_dropout1d", lambda K: K.layers.SpatialDropout1D(0.4, seed=1), (X,), random=True),
    Row("spatial_dropout2d", lambda K: K.layers.SpatialDropout2D(0.4, "channels_first", 1), (FIRST,), random=True),
]

MERGE = [
    Row("add", lambda K: K.layers.Add(), ([X, X, X],)),
    Row("add of ranks", lambda K: K.layers.Add(), ([X, Floats((2, 4))],)),
    Row("subtract", lambda K: K.layers.Subtract(), ([X, X],)),
    Row("multiply", lambda K: K.layers.Multiply(), ([X, Floats((2, 1, 4))],)),
    Row("average", lambda K: K.layers.Average(), ([X, X],)),
    Row("maximum", lambda K: K.layers.Maximum(), ([X, X],)),
    Row("minimum", lambda K: K.layers.Minimum(), ([X, X, X],)),
    Row("concatenate", lambda K: K.layers.Concatenate(), ([X, Floats((2, 5, 1))],)),
    Row("concatenate steps", lambda K: K.layers.Concatenate(axis=1), ([X, Floats((2, 2, 4))],)),
    Row("dot", lambda K: K.layers.Dot((2, 1)), ([X, Floats((2, 4, 3))],)),
    Row("dot of vectors", lambda K: K.layers.Dot(1, normalize=True), ([FLAT, FLAT],)),
]

STATES = [Floats((2, 3)), Floats((2, 3))]

RECURRENT = [
    Row("lstm", lambda K: K.layers.LSTM(3), (X,)),
    Row("lstm sequences", lambda K: K.layers.LSTM(3, return_sequences=True, return_state=True), (X,)),
    Row("lstm backwards", lambda K: K.layers.LSTM(3, go_backwards=True, return_sequences=True), (X,)),
    Row("lstm unrolled", lambda K: K.layers.LSTM(3, unroll=True, activation="relu"), (X,)),
    Row("lstm plain", lambda K: K.layers.LSTM(3, use_bias=False, recurrent_activation="hard_sigmoid"), (X,)),
    Row("lstm from states", lambda K: K.layers.LSTM(3, return_state=True), (X,), {"initial_state": STATES}),
    Row("lstm mask", lambda K: K.layers.LSTM(3, return_sequences=True), (X,), {"mask": Mask((2, 5))}),
    Row("lstm mask last", lambda K: K.layers.LSTM(3, return_state=True), (X,), {"mask": Mask((2, 5))}),
    Row(
        "lstm mask zeros",
        lambda K: K.layers.LSTM(3, return_sequences=True, zero_output_for_mask=True),
        (X,),
        {"mask": Mask((2, 5))},
    ),
    Row("lstm mask backwards", lambda K: K.layers.LSTM(3, go_backwards=True), (X,), {"mask": Mask((2, 5))}),
    Row("lstm stateful", lambda K: K.layers.LSTM(3, stateful=True), (X,), batch=False),
    Row("lstm dropout", lambda K: K.layers.LSTM(3, dropout=0.3), (X,), random=True),
    Row("lstm state dropout", lambda K: K.layers.LSTM(3, dropout=0.3, recurrent_dropout=0.2), (X,), random=True),
    Row("embedding into lstm", _masked(lambda K: K.layers.LSTM(3)), (WORDS,)),
    Row("masking into lstm", lambda K: K.Sequential([K.layers.Masking(), K.layers.LSTM(3)]),
        (Floats((2, 5, 4), zero_steps=(1, 4)),)),
    Row("gru", lambda K: K.layers.GRU(3, return_sequences=True), (X,)),
    Row("gru reset before", lambda K: K.layers.GRU(3, reset_after=False), (X,)),
    Row("gru mask", lambda K: K.layers.GRU(3, return_state=True), (X,), {"mask": Mask((2, 5))}),
    Row("gru state dropout", lambda K: K.layers.GRU(3, recurrent_dropout=0.2, reset_after=False), (X,), random=True),
    Row("simple_rnn", lambda K: K.layers.SimpleRNN(3, return_state=True), (X,)),
    Row("simple_rnn dropout", lambda K: K.layers.SimpleRNN(3, dropout=0.3, recurrent_dropout=0.3), (X,), random=True),
    Row("rnn of a cell", lambda K: K.layers.RNN(K.layers.LSTMCell(3)), (X,)),
    Row(
        "rnn of cells",
        lambda K: K.layers.RNN([K.layers.LSTMCell(2), K.layers.GRUCell(3)], return_sequences=True, return_state=True),
        (X,),
    ),
    Row(
        "rnn of cells mask",
        lambda K: K.layers.RNN([K.layers.LSTMCell(2), K.layers.LSTMCell(3)]),
        (X,),
        {"mask": Mask((2, 5))},
    ),
    Row("lstm_cell", lambda K: K.layers.LSTMCell(3), (FLAT, [Floats((3, 3)), Floats((3, 3))])),
    Row("gru_cell", lambda K: K.layers.GRUCell(3), (FLAT, [Floats((3, 3))])),
    Row("simple_rnn_cell", lambda K: K.layers.SimpleRNNCell(3), (FLAT, [Floats((3, 3))])),
]  # fmt: skip

SOURCE = Floats((2, 3, 6))

ATTENTION = [
    Row("attention", lambda K: K.layers.MultiHeadAttention(2, 3), (X, X)),
    Row("attention over others", lambda K: K.layers.MultiHeadAttention(2, 3, value_dim=5), (X, SOURCE)),
    Row(
        "attention keys",
        lambda K: K.layers.MultiHeadAttention(2, 3, output_shape=7, use_bias=False),
        (X, SOURCE, Floats((2, 3, 2))),
    ),
    Row("attention output_shape", lambda K: K.layers.MultiHeadAttention(2, 3, output_shape=(2, 3)), (X, X)),
    Row(
        "attention scores",
        lambda K: K.layers.MultiHeadAttention(2, 3),
        (X, X),
        {"return_attention_scores": True},
    ),
    Row(
        "attention mask",
        lambda K: K.layers.MultiHeadAttention(2, 3),
        (X, SOURCE),
        {"attention_mask": Mask((2, 5, 3)), "value_mask": Mask((2, 3))},
    ),
    Row("attention causal", lambda K: K.layers.MultiHeadAttention(2, 3), (X, X), {"use_causal_mask": True}),
    Row(
        "attention window",
        lambda K: K.layers.MultiHeadAttention(1, 3, sliding_window=2),
        (X, X),
        {"use_causal_mask": True},
    ),
    Row("attention gate", lambda K: K.layers.MultiHeadAttention(2, 3, use_gate=True), (X, X)),
    Row("attention dropout", lambda K: K.layers.MultiHeadAttention(2, 3, dropout=0.3), (X, X), random=True),
    Row(
        "attention masked queries",
        lambda K: K.layers.MultiHeadAttention(2, 3),
        (X, X),
        {"query_mask": Mask((2, 5)), "value_mask": Mask((2, 5))},
        gap="Keras looks for the query's mask on the query and ignores the argument",
    ),
    # with dropout: Keras gives zeros for queries that see nothing only where it can't fuse
    Row("embedding into attention", _attending, (WORDS,), random=True),
    Row("attention over one axis", lambda K: K.layers.MultiHeadAttention(2, 3, attention_axes=2), (IMAGE, IMAGE)),
    Row("attention over the first", lambda K: K.layers.MultiHeadAttention(2, 3, attention_axes=1), (IMAGE, IMAGE)),
    Row(
        "attention over two axes",
        lambda K: K.layers.MultiHeadAttention(2, 3, attention_axes=(1, 2)),
        (Floats((2, 3, 2, 4)), Floats((2, 2, 4, 4))),
        {"return_attention_scores": True},
    ),
]

ROWS = [*LAMBDA, *DENSE, *CONV, *POOL, *NORM, *RESHAPE, *ACTIVATION, *MERGE, *RECURRENT, *ATTENTION]
NAMES = [row.name for row in ROWS]
if len(set(NAMES)) != len(NAMES):
    raise ValueError("Two rows have one name.")
