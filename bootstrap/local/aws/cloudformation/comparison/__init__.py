"""Compares two templates, a template with the resources that exist, and the properties of both.

It decides which change replaces a resource, what a change set shows, what has drifted, and what a stack policy forbids. It
changes nothing.
Imported by: api, operations, server.
"""
