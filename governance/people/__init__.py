"""人员与任职: people, the posts there are, and who holds which in which unit, from when to when."""
