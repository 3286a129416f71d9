"""Fused activations, convolution, pooling and normalisation.

torch wants channels first, Keras last by default. A permuted channels-last tensor already has the
strides of torch's `channels_last` memory format, so `movedim` is all it takes: no copy.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

__all__ = [
    "average_pool", "batch_normalization", "conv", "fused_lstm", "gelu", "layer_normalization", "log_softmax",
    "max_pool", "normalize_batch", "rms_normalization", "silu", "softmax", "sparse_crossentropy",
]  # fmt: skip

# by the rank of the tensors; the orders of axes are written out, for `movedim` takes longer to find them
CONV = {3: torch.conv1d, 4: torch.conv2d, 5: torch.conv3d}
CHANNELS_FIRST = {3: (0, 2, 1), 4: (0, 3, 1, 2), 5: (0, 4, 1, 2, 3)}
CHANNELS_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
FILTERS_FIRST = {3: (2, 1, 0), 4: (3, 2, 0, 1), 5: (4, 3, 0, 1, 2)}
# by the number of axes of space
MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


silu = F.silu


def gelu(x: Any, approximate: bool) -> Any:
    return F.gelu(x, approximate="tanh" if approximate else "none")


def softmax(x: Any, axis: int) -> Any:
    return torch.softmax(x, axis)


def log_softmax(x: Any, axis: int) -> Any:
    return torch.log_softmax(x, axis)


def _first(x: Any, data_format: str) -> Any:
    return x.movedim(-1, 1) if data_format == "channels_last" else x


def _back(x: Any, data_format: str) -> Any:
    return x.movedim(1, -1) if data_format == "channels_last" else x


def _same(sizes: Any, window: Any, strides: Any, dilation: Any) -> list[tuple[int, int]]:
    """TensorFlow's "same": the odd element goes to the end."""
    pairs = []
    for size, reach, stride, step in zip(sizes, window, strides, dilation, strict=True):
        total = (reach - 1) * step + 1 - stride if size % stride == 0 else (reach - 1) * step + 1 - size % stride
        total = max(total, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def _even(pairs: list[tuple[int, int]]) -> bool:
    return all(before == after for before, after in pairs)


def _padded(x: Any, pairs: list[tuple[int, int]], fill: float) -> Any:
    return F.pad(x, [w for pair in reversed(pairs) for w in pair], value=fill)


def conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any, bias: Any = None) -> Any:
    """`strides` and `dilation` may be numbers."""
    rank, last = x.dim(), data_format == "channels_last"
    x = x.permute(*CHANNELS_FIRST[rank]) if last else x
    weights = weights.permute(*FILTERS_FIRST[rank])
    groups = x.shape[1] // weights.shape[1]
    amount: Any = 0
    if padding == "same":
        pairs = _same(x.shape[2:], weights.shape[2:], _for_each(strides, rank - 2), _for_each(dilation, rank - 2))
        if _even(pairs):
            amount = tuple([before for before, _ in pairs])
        else:
            x = _padded(x, pairs, 0.0)
    y = CONV[rank](x, weights, bias, strides, amount, dilation, groups)
    return y.permute(*CHANNELS_LAST[rank]) if last else y


def _for_each(value: Any, count: int) -> Any:
    return (value,) * count if isinstance(value, int) else value


def _pool_padding(x: Any, window: Any, strides: Any, padding: str) -> list[tuple[int, int]]:
    if padding != "same":
        return [(0, 0)] * len(window)
    return _same(x.shape[2:], window, strides, (1,) * len(window))


def max_pool(x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    x = _first(x, data_format)
    pairs = _pool_padding(x, window, strides, padding)
    amount: Any = 0
    if _even(pairs):
        amount = tuple(before for before, _ in pairs)
    else:
        low = float("-inf") if x.dtype.is_floating_point else torch.iinfo(x.dtype).min
        x = _padded(x, pairs, low)
    if len(window) == 1 and not x.dtype.is_floating_point:  # torch pools whole numbers in two and three dimensions
        y = F.max_pool2d(x[..., None], (*window, 1), (*_for_each(strides, 1), 1), (*_for_each(amount, 1), 0))[..., 0]
        return _back(y, data_format)
    return _back(MAX_POOL[len(window)](x, window, strides, amount), data_format)


def average_pool(x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    if len(window) == 3 and x.dtype in (torch.float16, torch.bfloat16):  # torch has no such kernel on CPU
        return average_pool(x.float(), window, strides, padding, data_format).to(x.dtype)
    x = _first(x, data_format)
    pairs = _pool_padding(x, window, strides, padding)
    pool = AVERAGE_POOL[len(window)]
    if _even(pairs):
        amount = tuple(before for before, _ in pairs)
        return _back(pool(x, window, strides, amount, count_include_pad=False), data_format)
    share = pool(_padded(torch.ones_like(x[:1, :1]), pairs, 0.0), window, strides)
    return _back(pool(_padded(x, pairs, 0.0), window, strides) / share, data_format)


def batch_normalization(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    # the fused kernel gives no gradient to mean and variance, which training on batch statistics needs
    constant = not (torch.is_grad_enabled() and (mean.requires_grad or variance.requires_grad))
    if constant and mean.dtype == x.dtype and x.dtype in (torch.float32, torch.float64):
        # it reads channels at position 1; a channels-last tensor gets there without a copy
        y = torch.batch_norm(
            x.movedim(axis, 1), scale, offset, mean, variance, False, 0.0, epsilon, torch.backends.cudnn.enabled
        )
        return y.movedim(1, axis)
    shape = [1] * x.dim()
    shape[axis] = -1
    factor = torch.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    return (x * factor.reshape(shape) + shift.reshape(shape)).to(x.dtype)


def normalize_batch(x: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    y, mean, factor = torch.native_batch_norm(x.movedim(axis, 1), scale, offset, None, None, True, 0.0, epsilon)
    # the kernel gives 1 / sqrt(variance + epsilon), and a gradient for y only
    variance = torch.clamp(factor.detach() ** -2 - epsilon, min=0)
    return y.movedim(1, axis), mean.detach(), variance


def fused_lstm(xs: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    if torch.compiler.is_compiling() or xs.dtype not in (torch.float32, torch.float64):
        return None  # Dynamo takes no recurrent kernel
    weights = [kernel.t(), recurrent.t()]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias)]
    ys, h, c = torch.lstm(xs, (h[None], c[None]), weights, bias is not None, 1, 0.0, False, False, False)
    return ys, h[0], c[0]


def _at_end(x: Any, axes: Any) -> bool:
    """Whether the axes are the last ones, as torch's own kernels want them."""
    return bool(axes == tuple(range(x.dim() - len(axes), x.dim())))


def _in_shape(weights: Any, sizes: Any) -> Any:
    return weights if weights is None or weights.shape == sizes else weights.reshape(sizes)


def layer_normalization(x: Any, scale: Any, offset: Any, axes: Any, epsilon: float) -> Any:
    if _at_end(x, axes) and all(v is None or v.dtype == x.dtype for v in (scale, offset)):
        sizes = x.shape[-len(axes) :]
        return F.layer_norm(x, sizes, _in_shape(scale, sizes), _in_shape(offset, sizes), epsilon)
    shape = [size if i in axes else 1 for i, size in enumerate(x.shape)]
    wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x  # squares leave float16 above 255
    away = wide - wide.mean(axes, keepdim=True)
    y = away * torch.rsqrt((away * away).mean(axes, keepdim=True) + epsilon)
    if scale is not None:
        y = y * scale.reshape(shape)
    return (y if offset is None else y + offset.reshape(shape)).to(x.dtype)


def rms_normalization(x: Any, scale: Any, axes: Any, epsilon: float) -> Any:
    if _at_end(x, axes) and (scale is None or scale.dtype == x.dtype):
        sizes = x.shape[-len(axes) :]
        return F.rms_norm(x, sizes, _in_shape(scale, sizes), epsilon)
    wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    y = wide * torch.rsqrt((wide * wide).mean(axes, keepdim=True) + epsilon)
    if scale is not None:
        y = y * scale.reshape([size if i in axes else 1 for i, size in enumerate(x.shape)])
    return y.to(x.dtype)


def sparse_crossentropy(target: Any, logits: Any, axis: int) -> Any:
    logits = logits if axis == 1 or logits.dim() == 1 else logits.movedim(axis, 1)
    return F.cross_entropy(logits, target.long(), reduction="none")
