"""Every op, declared once. `kbridge.ops` re-exports them."""
