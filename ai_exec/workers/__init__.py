"""Worker processes: models run outside the node, under limits of memory and time."""
