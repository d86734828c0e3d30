"""The benchmark: figures with a ratio to something measured in the same run."""
