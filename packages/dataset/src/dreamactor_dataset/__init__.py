"""From raw video, or from people who do not exist, to training samples."""
