"""Configuration as Code: sources, variables, strict schema, application and export."""
