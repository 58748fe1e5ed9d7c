"""One small adapter per data set layout; each yields `Record`s."""
