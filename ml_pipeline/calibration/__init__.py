"""Everything that is chosen on the validation split: calibrations, patient effects, thresholds."""
