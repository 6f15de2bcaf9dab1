"""What people can do with Footnote, once for every channel: each service is one group of use cases."""
