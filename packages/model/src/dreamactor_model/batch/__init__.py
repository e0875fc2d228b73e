"""Many videos by one model: read `jobs` (the table), `batch` (one job after the other), `report`, in that order."""
