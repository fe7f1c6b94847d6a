"""contract.yaml as values, and data against it: types, ranges, categories, roles."""
