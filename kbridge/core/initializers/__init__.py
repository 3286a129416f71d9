"""Starting values of weights, drawn on the host: the same seed gives the same bits on every backend."""
