"""Garbage: categories, areas, rules and their exceptions, and what goes where."""
