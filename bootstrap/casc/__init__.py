"""Configuration as Code files as text: reading them and judging what can be judged without a Jenkins."""
