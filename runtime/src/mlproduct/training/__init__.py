"""Train rows -> a fitted pipeline and its file."""
