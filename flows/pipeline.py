"""pipeline: everything, from raw clips to a promoted champion."""

from prefect import flow

from flows.extract_signals import extract_signals
from flows.train_stages import train_stages
from flows.version_dataset import version_dataset


@flow(name="pipeline", persist_result=False)
def pipeline() -> None:
    """version-dataset, extract-signals, train-stages (which evaluates and promotes), in this order."""
    version_dataset()
    extract_signals()
    train_stages()
