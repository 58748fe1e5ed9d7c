"""From data sets and the active model to a judged candidate, step by step: resumable, one at a time, without Django."""
