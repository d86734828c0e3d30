"""发起: processes that people begin by themselves, by filling in the form at their start."""
