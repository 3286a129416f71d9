"""Public names of ops on images."""
