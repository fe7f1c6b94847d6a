"""The command line: `mlproduct VERB`. Each file of verbs/ is a verb; heavy libraries are imported when it runs."""
