"""Data sets to one table of records, and records to leakage-free splits."""
