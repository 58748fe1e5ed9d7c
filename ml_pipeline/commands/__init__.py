"""What `python -m ml_pipeline COMMAND` does, one module per topic. Each adds its commands to the parser."""
