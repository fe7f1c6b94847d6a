"""The model in the form that is served, proven equal to the one that was trained."""
