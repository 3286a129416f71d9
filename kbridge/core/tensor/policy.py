"""Which type a layer computes in and which type it keeps its weights in."""

from __future__ import annotations

from typing import Any

from kbridge.core.settings import floatx
from kbridge.core.tensor.dtypes import standardize_dtype

MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_default: DTypePolicy | None = None


class DTypePolicy:
    """A compute type and a weight type.

    Args:
        name: a dtype, or "mixed_float16" / "mixed_bfloat16" (float32 weights, half compute).

    >>> DTypePolicy("mixed_bfloat16").compute_dtype
    'bfloat16'
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or floatx()
        mixed = MIXED.get(self.name)
        self.compute_dtype = mixed or standardize_dtype(self.name)
        self.variable_dtype = "float32" if mixed else self.compute_dtype

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """The policy of that config."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy  # its name in Keras 2


def policy_of(dtype: Any) -> DTypePolicy:
    """A policy from what layers take as `dtype`: None, a name, a policy, or a stored policy."""
    if dtype is None:
        return dtype_policy()
    if isinstance(dtype, DTypePolicy):
        return dtype
    if isinstance(dtype, dict):
        if dtype.get("class_name") not in ("DTypePolicy", "FloatDTypePolicy"):
            raise ValueError(f"Unknown dtype policy {dtype.get('class_name')!r} in {dtype}.")
        return DTypePolicy.from_config(dtype["config"])
    return DTypePolicy(dtype if dtype in MIXED else standardize_dtype(dtype))


def serialize(policy: DTypePolicy) -> dict[str, Any]:
    """The JSON form of a policy.

    >>> serialize(DTypePolicy("mixed_float16"))["config"]
    {'name': 'mixed_float16'}
    """
    config = policy.get_config()
    return {"module": "keras", "class_name": "DTypePolicy", "config": config, "registered_name": None}


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """The policy of a JSON form; or that of a class in `custom_objects`, if it names one.

    Raises:
        ValueError: it names no policy.
    """
    kind = (custom_objects or {}).get(config["class_name"])
    return policy_of(config) if kind is None else kind.from_config(config["config"])


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given no `dtype`."""
    return _default or DTypePolicy(floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given no `dtype`."""
    global _default
    _default = policy_of(policy)
