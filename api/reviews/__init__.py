"""Reviews of the prediction log: who reads which case next, what readers say of it, and what a case comes to."""
