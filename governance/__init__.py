"""The domain: organisation, identity, cases, inbox, deadlines. Knows no web framework and no broker."""
