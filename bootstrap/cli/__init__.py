"""The command line: sole owner of the arguments, the console and the exit codes.

`parser` reads the command line, `commands/` has one module for each family of commands, `environment_opening` opens the
environment for one. A command calls the play (`bootstrap.launch`), a view, the doctor or planning, and prints the result; it
decides nothing about AWS, machines or Jenkins itself.
Imported by: __main__.
"""
