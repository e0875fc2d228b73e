"""The diffusion transformer (paper 3.1). Read `dit.py` first: a block is Self, Ref, Face, FFN in that order."""
