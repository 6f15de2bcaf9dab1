"""The use cases of Footnote, the same for every channel; each service is one group of them."""
