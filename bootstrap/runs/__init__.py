"""One execution of a command: its journal on disk, its lines for the console, the history, and its report page.

It decides what is stored of a run. The journal is written as the run goes on, so that it also shows how far a killed run came.
It knows no act, and acts know only the protocol `values.Reporter`. The environment (for the state folder), the preconditions,
views, the play, planning, the doctor and the command line import it.
"""
