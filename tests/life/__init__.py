"""The life of a product, from its first import to its removal."""
