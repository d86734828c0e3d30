"""Deadlines (办理时限): lights, pauses and the words people read. Decisions only; dates are stored by what is due."""
