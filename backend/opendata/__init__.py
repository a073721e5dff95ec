"""/opendata: everything public as files that anybody can reuse, and their catalogue."""
