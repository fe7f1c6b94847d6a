"""Run the checks on a repository, and compute its score."""
