"""The agent: it runs the processes of builds and touches their files, as another user than the controller.

It takes the place of Jenkins' agent.jar: the controller packs it into a file of that name, the machine fetches it and starts it
with the same flags (`program`), and it calls the controller back over a WebSocket. `operations` and `..process` are what both
sides do with files and programs; the controller calls them itself for its built-in node. The agent knows nothing else of the
emulator, and of third parties only aiohttp.
Imported by: execution, steps, web.
"""
