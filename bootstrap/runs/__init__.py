"""One execution of the tool: its journal on disk, what the console draws from it, the history and the page.

It decides what is remembered of a run, and that a killed run tells how far it came. It knows no act, and acts know
only the protocol `values.Reporter`. The play, preconditions, views, planning and the command line import it.
"""
