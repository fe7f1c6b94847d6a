"""Compare a repository with the version of the template that it was made from."""
