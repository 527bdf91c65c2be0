"""Configuration: strict YAML with positions, JSON Schema, cross-file rules, references to secrets."""
