"""The state store on a Redis or Valkey server."""
