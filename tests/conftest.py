"""What every test may ask for."""

pytest_plugins = ["tests.servers.elastic.fixtures", "tests.servers.llama_server"]
