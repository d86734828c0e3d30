"""身份: accounts, passwords, lock-out."""
