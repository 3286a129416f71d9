"""How gradients change variables."""
