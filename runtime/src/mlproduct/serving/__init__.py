"""The running service: what stands between a caller and the model. Nobody who changes the model needs to read it."""
