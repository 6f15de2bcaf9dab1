"""Turns one question into one cited answer; knows no channel, no store and no setting."""
