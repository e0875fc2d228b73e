"""Settings: one schema for params.yaml, the environment and the command line."""

from dreamactor_core.settings.root import Settings, load_settings, params_path

__all__ = ["Settings", "load_settings", "params_path"]
