"""`dreamactor signals`: tracks from video, control maps, speech features."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings

_TRACKER = (
    "signals.tracker",
    "signals.person",
    "signals.threads",
    "signals.field_of_view_deg",
    "signals.fit",
    "signals.smplx_file",
    "signals.mmpose.checkpoint=mmpose-checkpoint",
    "signals.mmpose.config=mmpose-config",
)

app = typer.Typer(no_args_is_help=True, help="Motion tracks and control maps from video.")


@app.callback()
def signals() -> None:
    """Motion tracks and control maps from video."""


@app.command()
@with_settings(*_TRACKER, "signals.processes")
def extract(
    settings: Settings,
    output: Annotated[Path, typer.Option("--output", "-o", help="Track file, or folder with --manifest.")],
    video: Annotated[Path | None, typer.Argument(help="One video.")] = None,
    manifest: Annotated[Path | None, typer.Option(help="Every clip of this parquet manifest instead.")] = None,
    share: Annotated[
        str | None, typer.Option(help="With --manifest, the part done here, such as 2/8; the last one joins all.")
    ] = None,
) -> None:
    """Track the person of one video, or of every clip of a manifest, into motion tracks."""
    from dreamactor_core.errors import InputError

    from dreamactor_signals.extraction import Share, extract_manifest, extract_video
    from dreamactor_signals.trackers import make_tracker

    if (video is None) == (manifest is None):
        raise InputError("give either one VIDEO or --manifest MANIFEST")
    if manifest is not None:
        extract_manifest(manifest, output, settings.signals, share=None if share is None else Share.parse(share))
    elif video is not None:
        extract_video(video, make_tracker(settings.signals), watched=True).save(output)
    typer.echo(output)


@app.command()
@with_settings("signals.guidance", *_TRACKER)
def draw(
    settings: Settings,
    video: Annotated[Path, typer.Argument(help="The video that was tracked.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The mp4; a contact sheet (PNG) is put beside it.")],
    track: Annotated[Path | None, typer.Option(help="Its motion track. Without one the video is tracked now.")] = None,
    maps_only: Annotated[bool, typer.Option("--maps-only", help="The control maps alone, not over the video.")] = False,
) -> None:
    """Draw skeleton, head sphere and face box on a video, to judge a track by eye."""
    from dreamactor_core.motion_track import MotionTrack

    from dreamactor_signals.draw.video import draw_video
    from dreamactor_signals.extraction import extract_video
    from dreamactor_signals.trackers import make_tracker

    if track is None:
        motion = extract_video(video, make_tracker(settings.signals), watched=True)
    else:
        motion = MotionTrack.load(track)
    sheet = draw_video(video, motion, output, maps_only=maps_only, guidance=settings.signals.guidance)
    typer.echo(output)
    typer.echo(sheet)


@app.command()
@with_settings("signals.retarget.transfer", "signals.retarget.bone_scale")
def retarget(
    settings: Settings,
    driving: Annotated[Path, typer.Argument(help="Motion track of the performance.")],
    reference: Annotated[Path, typer.Argument(help="Motion track of the person who is to perform it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The motion track to write.")],
) -> None:
    """Carry a performance over to another person's body: bone lengths, place, and only the parts asked for."""
    from dreamactor_core.motion_track import MotionTrack

    from dreamactor_signals.retarget import retarget as carry_over

    carry_over(MotionTrack.load(driving), MotionTrack.load(reference), settings.signals.retarget).save(output)
    typer.echo(output)


@app.command()
@with_settings("signals.speech_encoder=encoder")
def speech(
    settings: Settings,
    recording: Annotated[Path, typer.Argument(help="A WAV recording, of any sample rate, mono or stereo.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The safetensors file.")],
    fps: Annotated[str, typer.Option(help="Frames a second of the video, such as 25 or 30000/1001.")] = "25",
    frames: Annotated[int | None, typer.Option(min=1, help="Frames of the video; else as many as it lasts.")] = None,
) -> None:
    """Turn a recording into features, one vector a video frame."""
    from dreamactor_signals.speech import SpeechReader

    SpeechReader.chosen(settings.signals).read(recording, _rate(fps), frames).save(output)
    typer.echo(output)


@app.command("convert-smplx")
def convert_smplx(
    model: Annotated[Path, typer.Argument(help="SMPL-X as its authors give it; nothing in it is executed.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The safetensors file.")],
) -> None:
    """Convert a licensed SMPL-X model once, for --fit smplx."""
    from dreamactor_signals.body_models.smplx_file import convert_smplx as convert

    convert(model, output)
    typer.echo(output)


@app.command("import")
@with_settings("signals.smplx_file")
def import_(
    settings: Settings,
    bodies: Annotated[Path, typer.Argument(help="Result of 4DHumans: its .pkl, or an .npz of one person.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The motion track.")],
    fps: Annotated[str, typer.Option(help="Frames a second of the video, such as 25 or 30000/1001.")],
    hands: Annotated[Path | None, typer.Option(help="Result of HaMeR of the same video.")] = None,
    face: Annotated[Path | None, typer.Option(help="Result of FaceVerse of the same video.")] = None,
    video: Annotated[Path | None, typer.Option(help="The video, for the track's checksum.")] = None,
    track_number: Annotated[int | None, typer.Option(help="Whose track of 4DHumans; else the longest.")] = None,
) -> None:
    """Turn results of 4DHumans, HaMeR and FaceVerse into a motion track; nothing in their files is executed."""
    from dreamactor_signals.body_models.choose import body_of_poses
    from dreamactor_signals.external import import_track

    import_track(
        bodies,
        body_of_poses(settings.signals),
        _rate(fps),
        hands_file=hands,
        face_file=face,
        person=track_number,
        video=video,
    ).save(output)
    typer.echo(output)


def _rate(fps: str) -> Fraction:
    """Frames a second, as written on the command line."""
    from dreamactor_core.errors import InputError

    try:
        rate = Fraction(fps)
    except (ValueError, ZeroDivisionError) as problem:
        raise InputError(f"--fps {fps} is no rate", remedy="Write e.g. --fps 25 or --fps 30000/1001") from problem
    if rate <= 0:
        raise InputError(f"--fps {fps} is no rate", remedy="Write e.g. --fps 25 or --fps 30000/1001")
    return rate
