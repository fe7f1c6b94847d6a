"""Update a repository to a newer version of its template: plan it, apply it, or put it on a branch for review."""
