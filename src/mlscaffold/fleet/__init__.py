"""Many repositories at once: the status of each, and updates to a newer standard in waves."""
