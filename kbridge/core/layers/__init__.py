"""Layers. `kbridge.layers` re-exports them."""
