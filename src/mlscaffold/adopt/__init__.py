"""An existing repository comes under the standard: what it lacks is added, and what it has stays as it is."""
