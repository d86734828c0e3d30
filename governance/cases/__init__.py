"""事项: what was reported, how it stands, and what it was in the end."""
