"""The production index: Elasticsearch, shared by every replica."""
