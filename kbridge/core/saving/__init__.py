"""Reading and writing models. `kbridge.saving` re-exports the public part."""
