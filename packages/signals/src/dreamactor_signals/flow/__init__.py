"""What the picture's own motion tells beyond any tracker: trunk and limbs that do not drift on their clothes, a head
that does not drift on its skin, how the scenery behind the person moves, and how clothes go beyond the bones.

Read `points` (what is seen again in the next frame), `agreement` (what most of many points tell), `path` (a track
averaged along what they tell), `look` (a clip); `registration` (a part's picture, found again) and `surfaces` (of a
clip).
"""

from dreamactor_signals.flow.look import look_again
from dreamactor_signals.flow.surfaces import with_surfaces

VERSION = 6
"""Of what it makes of a track: tracks of another version are made again."""

__all__ = ["VERSION", "look_again", "with_surfaces"]
