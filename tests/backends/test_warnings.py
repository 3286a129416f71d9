"""What ops warn of, and that they warn of nothing else."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from kbridge import Input, layers, ops

LONE = np.ones((2, 1), "float32")


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("axis", [1, -1, (1,)])
def test_softmax_over_one_element(axis: int) -> None:
    with pytest.warns(UserWarning, match=r"softmax over axis .* of a tensor of shape \(2, 1\)"):
        y = ops.softmax(LONE, axis)
    np.testing.assert_array_equal(ops.convert_to_numpy(y), LONE)


@pytest.mark.usefixtures("backend")
def test_softmax_over_more_or_over_several_axes_is_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ops.softmax(LONE, 0)
        ops.softmax(LONE.reshape(1, 1, 2), (0, 1))
        ops.log_softmax(LONE)
        ops.softmax(Input((None,)))


def test_a_model_with_such_a_softmax_warns_when_it_is_made() -> None:
    with pytest.warns(UserWarning, match=r"axis -1 of a tensor of shape \(None, 1\)"):
        layers.Softmax()(Input((1,)))


def test_dynamo_follows_a_softmax_over_one_element() -> None:
    torch._dynamo.reset()
    y = torch.compile(ops.softmax, backend="eager", fullgraph=True)(torch.ones(2, 1))
    np.testing.assert_array_equal(y.numpy(), LONE)


@pytest.mark.usefixtures("backend")
def test_rms_scaling_is_deprecated() -> None:
    x = np.array([1.0, 3.0], "float32")
    with pytest.warns(UserWarning, match="`rms_scaling=True`, which is deprecated"):
        y = ops.layer_normalization(x, rms_scaling=True)
    np.testing.assert_allclose(ops.convert_to_numpy(y), x, 1e-5)  # the standard deviation is 1
