"""The emulator: it takes the place of Jenkins where the real distribution cannot be downloaded.

It speaks Jenkins' HTTP interface, reads Configuration as Code, keeps Jenkins' layout under JENKINS_HOME and really runs
freestyle and Pipeline builds. It is shipped alone to the machine as the package `jenkins_emulator`: it imports nothing of the
project, and of third parties only aiohttp, yaml, croniter, cryptography, lxml and bcrypt. It refuses everything that it does
not know, and says so.

Its packages import in one direction: `web` -> `command_line` -> `controller` -> `steps` -> `execution` -> `model`, and `casc`
-> `model`; `controller`, `command_line` and `web` use `casc`. Below all of them are `options` and `failures`. No other
package imports the emulator.
"""
