"""What `fit` eats."""
