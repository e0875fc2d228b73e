"""Stage refiner: read `made_clips` (what it learns from), then `refiner_stage`."""
