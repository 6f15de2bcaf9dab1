"""The one long-running process: work that platforms accept is claimed, done and finished; health and figures beside."""
