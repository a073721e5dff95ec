"""Ways to a phone, each with one promise: an outcome per recipient."""
