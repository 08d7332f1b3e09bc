"""One execution of the tool: its journal on disk, what the console draws from it, the history and the page.

It decides what is remembered of a run, and that a killed run tells how far it came. It knows no act. Everything that reports
imports it through `values.Reporter`; the context, views and commands import it.
"""
