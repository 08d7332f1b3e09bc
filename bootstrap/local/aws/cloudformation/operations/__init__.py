"""The stack operations of CloudFormation: create, update, delete, import, continue, cancel and roll back.

It decides the order of resources, what happens when one fails, and how nested stacks and signals are waited for. The adapters
create single resources; `comparison` finds differences between templates.
Imported by: api, adapters.nested, adapters.rolling, comparison.changes, template.static_checks, server.
"""
