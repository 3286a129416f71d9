"""Models. `kbridge.models` re-exports them."""
