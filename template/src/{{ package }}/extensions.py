"""What is special to this product: functions that the library calls, each of them optional.

`split`, `metrics`, `gates` and `report` are called by the pipeline, `respond`, `headers` and `authenticate` by the
service. `python -m pydoc mlproduct.extensions` shows their signatures; the page "Extend a repository" of mlscaffold's
documentation has an example of each. An edit runs those stages again that call the function.
"""
