"""The calls of the JSON interface, one module a subject."""
