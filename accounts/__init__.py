"""People: who they are and how a request says so."""
