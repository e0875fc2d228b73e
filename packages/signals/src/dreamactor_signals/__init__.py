"""From video to control signals: trackers, retargeting, control maps, face crops and views (paper 3.2, design 4)."""
