"""四事五议: what residents and officials do to a matter, and what its process asks of the domain."""
