"""WHAT THE CITY KNOWS: texts, workflow, editors, notices."""
