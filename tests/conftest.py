"""What every test may ask for."""

pytest_plugins = ["tests.distribution", "tests.servers.elastic.fixtures", "tests.servers.llama_server"]
