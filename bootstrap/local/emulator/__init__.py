"""The emulator: it takes the place of Jenkins where the real distribution cannot be downloaded.

It decides what Jenkins answers and how a build runs, and refuses what it does not know. It is sent alone to the machine, as the
package `jenkins_emulator`: so it imports nothing of the project, and knows nothing of the toolkit, and of AWS only groups of
agents. `web` answers requests, `command_line` commands; `controller` joins the parts, `steps` and `execution` run builds,
`casc` reads settings, `model` keeps all on disk.
Imported by: no package.
"""
