"""Public names of models."""

from kbridge.core.models.functional import Functional as Functional
from kbridge.core.models.model import Model as Model
from kbridge.core.models.sequential import Sequential as Sequential
