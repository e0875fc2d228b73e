"""DreamActor-M1: the model, its training, sampling and evaluation. Importing it is cheap; its modules import torch."""

__version__ = "0.1.0"
