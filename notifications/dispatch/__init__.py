"""Messages cut into batches, claimed, sent and recorded; the worker."""
