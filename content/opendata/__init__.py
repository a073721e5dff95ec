"""Reads lists that cities publish of what they offer, and writes them again."""
