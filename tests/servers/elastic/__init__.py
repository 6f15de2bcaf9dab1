"""Real Elasticsearch servers for tests: fetched once into a cache, started on free ports, stopped with the run."""
