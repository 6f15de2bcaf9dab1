"""The long-running process: HTTP listeners, the queue of accepted events, its workers, health, metrics and logs."""
