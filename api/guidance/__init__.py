"""The guidance chat: curated texts, a matcher that finds which of them is asked for, and the reply made of both.

It computes no diagnosis and remembers nothing. What it says was written by people and is the same every time.
"""
