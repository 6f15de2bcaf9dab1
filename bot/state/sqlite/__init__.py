"""The state store in a SQLite file."""
