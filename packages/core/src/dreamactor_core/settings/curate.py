"""Which clips are good enough to train on."""

from pydantic import Field

from dreamactor_core.settings.base import Section


class CurateSettings(Section):
    """Limits of what is measured of each clip; none does not ask."""

    max_people: int | None = Field(1, ge=1, description="Most people in a clip; the model learns of one.")
    min_seen_share: float | None = Field(0.9, ge=0, le=1, description="Least share of frames that show the person.")
    min_person_share: float | None = Field(
        0.3, ge=0, le=1, description="Least height of the visible person, of the frame's."
    )
    min_face_px: float | None = Field(24.0, ge=0, description="Least height of the face, where one is seen.")
    min_sharpness: float | None = Field(
        0.3, ge=0, le=1, description="Least sharpness of the person: what blurring once more takes from its edges."
    )
    max_occlusion: float | None = Field(0.5, ge=0, le=1, description="Largest share of the face that is hidden.")
    min_motion_m_s: float | None = Field(0.01, ge=0, description="Least mean speed of joints and nose, in m/s.")
    max_motion_m_s: float | None = Field(
        6.0, ge=0, description="Largest mean speed of the joints: beyond it the track jumps."
    )
    min_yaw_range_deg: float | None = Field(None, ge=0, description="Least range of the head's turning.")
    max_text_share: float | None = Field(
        None, ge=0, le=1, description="Largest share of the picture under subtitles, captions and the like, e.g. 0.005."
    )
    min_duration_s: float | None = Field(None, ge=0, description="Shortest clip.")
    frames: int = Field(5, ge=2, description="Frames of a clip in which people and sharpness are measured.")
    processes: int = Field(2, ge=1, description="Clips measured at the same time; with 1, in this process.")
    clip_deadline_s: float = Field(600.0, gt=0, description="Longest time for one clip; then its process is stopped.")
