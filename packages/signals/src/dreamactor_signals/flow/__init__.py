"""What the picture's own motion tells beyond any tracker: a trunk that does not drift on its clothes, a head that does
not drift on its skin, and how the scenery behind the person moves.

Read `points` (what is seen again in the next frame), `similarity` (one motion of many points), `look` (a clip).
"""

from dreamactor_signals.flow.look import look_again

VERSION = 4
"""Of what it makes of a track: tracks of another version are made again."""

__all__ = ["VERSION", "look_again"]
