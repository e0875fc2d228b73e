"""Running a stage: the launcher, its ranks, the loop they go round, and what survives them."""
