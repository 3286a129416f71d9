"""Training: one loop for every backend."""
