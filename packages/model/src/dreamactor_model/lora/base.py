"""The model that adapters are trained for."""

from dreamactor_core.settings import Settings


def with_local_base(settings: Settings) -> Settings:
    """The settings with `training.lora.base` as a folder, where it was an address in the registry.

    Raises:
        WeightsError: no such version, or its weights are damaged.
    """
    lora = settings.training.lora
    if not lora.base.startswith("models:"):
        return settings
    from dreamactor_model.registry import checkpoint_folder

    folder = str(checkpoint_folder(settings.tracking, lora.base))
    training = settings.training.model_copy(update={"lora": lora.model_copy(update={"base": folder})})
    return settings.model_copy(update={"training": training})
