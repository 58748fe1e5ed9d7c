"""Which model answers: the versions that are known, where they lie, and how another one goes live while people ask."""
