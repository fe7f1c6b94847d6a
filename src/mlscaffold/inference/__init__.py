"""From a table to its contract."""
