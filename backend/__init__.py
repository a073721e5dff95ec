"""THE DOORS: the only package with Flask views."""
