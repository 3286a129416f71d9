"""Public names of models."""

from kbridge.core.models.functional import Functional as Functional
from kbridge.core.models.model import Model as Model
from kbridge.core.models.sequential import Sequential as Sequential
from kbridge.core.saving.saving_api import clone_model as clone_model
from kbridge.core.saving.saving_api import load_model as load_model
from kbridge.core.saving.saving_api import model_from_json as model_from_json
from kbridge.core.saving.saving_api import save_model as save_model
