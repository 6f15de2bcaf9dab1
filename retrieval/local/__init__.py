"""The embedded index: SQLite as the store of record, BM25F and exact cosine in NumPy."""
