"""One execution of a command: its journal on disk, its lines for the console, the history, and its report page.

It decides what is stored of a run. The journal is written as the run goes on, so that it also shows how far a killed run came.
It knows no act: what reports is given the protocol `values.Reporter`.
Packages on higher floors may import it.
"""
