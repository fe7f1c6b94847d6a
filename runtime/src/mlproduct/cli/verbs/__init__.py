"""One verb a file: its docstring is its help, GROUP and EXAMPLE are shown, `arguments` declares, `run` calls."""
