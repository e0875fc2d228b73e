"""The root of the `dreamactor` command. Installed packages add their commands through entry points."""

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from dreamactor_core import __version__
from dreamactor_core.errors import DreamactorError
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings

COMMAND_GROUP = "dreamactor.commands"
USER_ERROR = 2

settings_app = typer.Typer(no_args_is_help=True, help="What is set, and where it comes from.")


@settings_app.command("show")
@with_settings()
def show_settings(settings: Settings) -> None:
    """Print every setting after params.yaml, environment and options have been merged."""
    import yaml

    typer.echo(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), nl=False)


def verify(
    video: Annotated[Path, typer.Argument(help="An mp4 that `dreamactor animate` made.")],
) -> None:
    """Check that a video is as it was made, and print what it was made from."""
    from dreamactor_core.provenance.verification import verify_video

    verified = verify_video(video)
    voucher = "a known authority vouches for it" if verified.trusted else "self-signed: nobody vouches for it"
    typer.echo(f"{video}: unchanged since {verified.signer} signed it ({voucher})")
    typer.echo(json.dumps(verified.record, indent=2, sort_keys=True))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def build_app() -> typer.Typer:
    """The command tree of the packages that are installed."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

    @app.callback()
    def root(
        version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    ) -> None:
        """Animate a person from one image, and train, evaluate and serve the model that does it."""

    app.add_typer(settings_app, name="settings")
    app.command()(verify)
    for entry in sorted(entry_points(group=COMMAND_GROUP), key=lambda entry: entry.name):
        command = entry.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)
    return app


def main() -> None:
    """Run the command line: a user's error is one line on stderr and exit code 2."""
    try:
        build_app()()
    except DreamactorError as error:
        sys.stderr.write(f"error: {error.line()}\n")
        sys.exit(USER_ERROR)


if __name__ == "__main__":
    main()
