"""Measures retrieval, abstention and answers on judged question files, and learns what a confidence means."""
