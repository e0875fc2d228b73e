"""Where experiments are recorded."""

from pydantic import Field

from dreamactor_core.settings.base import Section


class TrackingSettings(Section):
    """MLflow."""

    uri: str = Field("sqlite:///mlflow.db", description="MLflow tracking and registry address.")
    artifacts: str = Field("mlartifacts", description="Artifact folder or object-store address of new experiments.")
    experiment: str = Field("dreamactor", description="Experiment name.")
    model_name: str = Field("dreamactor", description="Name in the model registry.")
