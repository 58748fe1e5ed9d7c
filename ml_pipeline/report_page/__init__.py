"""The look that all reports share: one HTML file out of sections and blocks, its words, colours and small pictures."""
