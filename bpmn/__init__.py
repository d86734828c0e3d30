"""The shipped process packages, as data."""
