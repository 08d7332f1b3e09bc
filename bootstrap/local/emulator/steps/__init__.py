"""The Pipeline steps that the emulator has, by name, with their parameters; others are refused as unknown.

It decides what a step does to a build. A step sees only the engine of its build and its own block. Importing this package
registers the steps with `execution`, which must not import it.
Imported by: controller.
"""

from . import basic, current_build, data, declarative, external, files, input_step, internal, node, publishing, tools

__all__ = [
    "basic",
    "current_build",
    "data",
    "declarative",
    "external",
    "files",
    "input_step",
    "internal",
    "node",
    "publishing",
    "tools",
]
