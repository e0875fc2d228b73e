"""A picture of a person, moved by joints and face units.

Read `parts` (what a person is cut into), `placing` (where a part is), `following` (and in another frame), `cutting`
(the person out of the picture), `face_points` (where it shows the face), `layer` (a part as a frame shows it), `flat`,
`surface`, `head_piece`, `skull`, `beside` and `eyes` (how parts move), `scenery` (what is behind), `warp` (the
pictures).
"""

from dreamactor_signals.warp.warp import ReferenceWarp

VERSION = 9
"""Of the pictures: what was made of those of another version is made again."""

__all__ = ["VERSION", "ReferenceWarp"]
