"""Use cases that write: keyword-only, typed, atomic."""
