"""The command line: sole owner of the arguments, the console and the exit codes.

`parser` reads the command line, `commands/` has one module for each family of commands, `opening` opens the environment for
one. A command calls the play (`bootstrap.launch`), a look (`bootstrap.views`) or the doctor and prints what came of it; it
decides nothing about AWS, machines or Jenkins itself. Nobody imports this package but `bootstrap.__main__`.
"""
