"""Is this file a video at all? Judged by its first bytes, never by its name.

Playlists and concat scripts are refused: a demuxer would follow them to other files and hosts.
"""

from pathlib import Path

from dreamactor_core.errors import DecodeError
from dreamactor_core.files import require_file

_HEAD_BYTES = 4096
_PLAYLIST_MARKS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"[playlist]", b"<smil")
_MPEG_TS_PACKET = 188


def check_is_video(path: Path | str) -> Path:
    """The path, if its content is a video container we read.

    Raises:
        InputError: missing, empty or a directory.
        DecodeError: a playlist, or not a video.
    """
    path = require_file(path)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if any(mark in head for mark in _PLAYLIST_MARKS):
        raise DecodeError("is a playlist, not a video", path=path, remedy="Give the video file itself")
    if not _is_container(head):
        raise DecodeError(
            "is not a video (its content is no known container)",
            path=path,
            remedy="Give an mp4, mov, mkv, webm or avi file",
        )
    return path


def _is_container(head: bytes) -> bool:
    is_iso = head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
    is_matroska = head[:4] == b"\x1a\x45\xdf\xa3"
    is_avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    is_mpeg_ts = len(head) > _MPEG_TS_PACKET and head[0] == head[_MPEG_TS_PACKET] == 0x47
    is_mpeg_ps = head[:4] == b"\x00\x00\x01\xba"
    is_flv = head[:3] == b"FLV"
    return is_iso or is_matroska or is_avi or is_mpeg_ts or is_mpeg_ps or is_flv
