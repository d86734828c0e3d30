"""流程设计: drafts of processes, and how they become versions."""
