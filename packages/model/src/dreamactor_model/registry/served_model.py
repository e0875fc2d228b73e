"""A version as an MLflow model: `mlflow.pyfunc.load_model("models:/dreamactor@champion").predict(jobs)`.

This file is copied into every version (models from code); the weights are read from where its configuration says, and
only if they have the sha256 that stands there too. MLflow runs the file, so it defines little and calls the package.
"""

from pathlib import Path

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class ServedModel(PythonModel):
    """Makes the videos of a job table."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the weights, once."""
        from dreamactor_core.settings import load_settings

        from dreamactor_model.animate.animator import Animator
        from dreamactor_model.batch.batch import Batch
        from dreamactor_model.registry.loading import registered_folder

        config = context.model_config
        folder = registered_folder(config["weights"], config["weights_sha256"])
        self._batch = Batch(Animator.from_checkpoint(folder, load_settings()), config["weights"], Path.cwd())

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """What became of each job (`dreamactor_model.batch`); relative paths are of the working folder."""
        from dreamactor_model.batch.jobs import check_jobs

        # An empty cell is no value, as in a table on disk.
        cells = model_input.astype(object).where(model_input.notna(), None).to_dict("records")
        table = [{str(column): value for column, value in row.items()} for row in cells]
        rows = check_jobs(table, Path.cwd(), Path("model input"))
        return pd.DataFrame([self._batch.run(row).model_dump() for row in rows])


set_model(ServedModel())
