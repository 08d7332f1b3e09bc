"""What differs: between two templates, between a template and what stands, between a template and what arrived.

It decides which change replaces a resource, what a change set shows, what drifted, and what a stack policy forbids. It changes
nothing. The operations and the API import it.
"""
