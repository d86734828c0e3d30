"""Numbered changes of the database. They import nothing from the application."""
