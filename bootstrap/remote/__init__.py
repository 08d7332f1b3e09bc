"""The machine from within: the shell to it, its wished state as data, and the program there that reaches that state."""
