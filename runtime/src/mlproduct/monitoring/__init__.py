"""While it runs: outcomes that come back, challenger against control, the commands of the runbooks."""
