"""Reads the files that cities and the nation publish, and writes them again."""
