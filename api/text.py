"""Comparing texts that people type."""

import unicodedata


def folded(text: str) -> str:
    """Lower case without accents, with single blanks: what two spellings of one word have in common."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in decomposed if not unicodedata.combining(letter)).split())
