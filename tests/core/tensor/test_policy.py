"""The public names of dtype policies."""

from __future__ import annotations

import numpy as np
import pytest

import kbridge
from kbridge import dtype_policies, layers, mixed_precision


@pytest.mark.parametrize("name", ["float32", "float16", "mixed_float16", "mixed_bfloat16"])
def test_there_and_back(name: str) -> None:
    policy = dtype_policies.get(name)
    form = dtype_policies.serialize(policy)
    assert form == {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}
    for again in (dtype_policies.deserialize(form), dtype_policies.get(form), dtype_policies.get(policy)):
        assert again == policy
    assert repr(policy) == f'<DTypePolicy "{name}">'


def test_what_is_no_policy() -> None:
    with pytest.raises(ValueError, match="nothing"):
        dtype_policies.get("nothing")
    with pytest.raises(ValueError, match="Unknown dtype policy 'Other'"):
        dtype_policies.deserialize({"class_name": "Other", "config": {}})


def test_policies_of_ones_own() -> None:
    class Other(kbridge.DTypePolicy):
        pass

    policy = dtype_policies.deserialize({"class_name": "Other", "config": {"name": "float16"}}, {"Other": Other})
    assert type(policy) is Other
    assert kbridge.FloatDTypePolicy is kbridge.DTypePolicy


def test_the_global_one() -> None:
    before = mixed_precision.global_policy()
    try:
        mixed_precision.set_global_policy("mixed_bfloat16")
        assert mixed_precision.global_policy() == mixed_precision.Policy("mixed_bfloat16")
        assert dtype_policies.get(None).compute_dtype == "bfloat16"
        assert str(layers.Dense(2)(np.ones((1, 2), "float32")).dtype) == "bfloat16"
    finally:
        mixed_precision.set_global_policy(before)


def test_version() -> None:
    assert kbridge.version() == kbridge.__version__
