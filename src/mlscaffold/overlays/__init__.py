"""An organisation's overlay: a second template on top of the standard, with an answers file of its own."""
