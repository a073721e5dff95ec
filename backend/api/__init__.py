"""/v1 for apps: one file a resource, schema and views together."""
