"""Many repositories at once: where each stands, and bringing them to a newer standard in waves."""
