"""One module a place people go to."""
