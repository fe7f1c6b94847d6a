"""Edits of modules that a repository held and the library `mlproduct` holds now: kept as patches, never dropped."""
