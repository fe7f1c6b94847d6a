"""A release of the model, and the way back to the one before."""
