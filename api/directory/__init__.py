"""Where a dermatologist can be found: what administrators have imported, and nothing else."""
