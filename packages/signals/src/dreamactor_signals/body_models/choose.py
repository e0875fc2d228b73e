"""The body model that settings name."""

from importlib.util import find_spec

from dreamactor_core.errors import SettingsError, WeightsError
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.body_models.protocol import BodyModel


def make_body(settings: SignalsSettings) -> BodyModel | None:
    """The body to fit, or None when nothing is to be fitted.

    Raises:
        WeightsError: what the fit computes with is not installed, or the SMPL-X file is not a converted one.
        SettingsError: SMPL-X without its file.
        InputError: no such file.
    """
    if settings.fit == "none":
        return None
    needed = ("torch", "smplx") if settings.fit == "smplx" else ("torch", "anny")
    for package in needed:
        if find_spec(package) is None:
            raise WeightsError(
                f"the body fit ({settings.fit}) needs the package {package}",
                remedy="Install it with: pip install 'dreamactor-signals[body]'",
            )
    if settings.fit == "anny":
        from dreamactor_signals.body_models.anny import AnnyBody

        return AnnyBody()
    if settings.smplx_file is None:
        raise SettingsError(
            "--fit smplx needs --smplx-file",
            remedy="Convert SMPL-X's own file with: dreamactor signals convert-smplx FILE.npz -o FILE.safetensors",
        )
    from dreamactor_signals.body_models.smplx import SmplxBody

    return SmplxBody(settings.smplx_file)


def body_of_poses(settings: SignalsSettings) -> BodyModel:
    """The body that imported poses are put on: SMPL-X where its file is named, else the free one; needs no torch.

    Raises:
        WeightsError: the SMPL-X file is not a converted one.
        InputError: no such file, or the free body's data is not installed.
    """
    if settings.smplx_file is not None:
        from dreamactor_signals.body_models.smplx import SmplxBody

        return SmplxBody(settings.smplx_file)
    from dreamactor_signals.body_models.anny import AnnyBody

    return AnnyBody()
