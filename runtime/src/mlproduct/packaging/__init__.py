"""From a blessed model to a Bento that answers, and the client that asks it."""
