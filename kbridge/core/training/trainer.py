"""compile, fit, evaluate, predict."""


class Trainer:
    """Mixed into Model."""
