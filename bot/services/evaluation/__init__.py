"""Computes figures of retrieval, abstention and answers on judged question files, and calibrates the confidence."""
