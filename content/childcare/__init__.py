"""Guides for parents, dated programmes with their legal windows, and the timeline of a child born in some month."""
