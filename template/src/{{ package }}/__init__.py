"""From a table to an answer over HTTP; the README shows which module does what."""
