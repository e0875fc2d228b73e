"""Video in and out. Reading happens in a killable child with a deadline, because foreign files may hang a decoder."""

from dreamactor_core.video.info import VideoInfo
from dreamactor_core.video.read import open_video, probe, read_frame_times_s, read_frames
from dreamactor_core.video.write import VideoWriter

__all__ = ["VideoInfo", "VideoWriter", "open_video", "probe", "read_frame_times_s", "read_frames"]
