"""People who do not exist: bodies, clothes, motion and light from one seed, rendered with exact truth.

Read in this order: `synthesize` (the set), `plan` (which clips), `clip` (one clip), `staging` (motion and camera),
`figure` (a person), `motion` (a performance), `render` (pixels), `truth` (the exact track).
"""
