"""From a record to an answer, without a data frame: what a caller may send, and what the model says to it."""
