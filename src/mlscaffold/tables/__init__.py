"""Data files: the only readers of them."""
