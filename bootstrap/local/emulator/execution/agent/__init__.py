"""The agent: it runs the processes of builds and touches their files, as another user than the controller.

It takes the place of Jenkins' agent.jar: the controller packs it into a file of that name, the machine fetches it and starts it
with the same flags (`program`), and it calls the controller back over a WebSocket. Or the controller copies it to a machine and
starts it by SSH (`stdio_program`). `operations` and `..process` are what both sides do with files and programs. The agent knows
nothing else of the emulator; of third parties it needs aiohttp for a WebSocket, and none by SSH.
Imported by: execution, steps, web.
"""
