"""Turns HTTP into calls and keeps the prediction log."""
