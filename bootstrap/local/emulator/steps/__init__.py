"""The Pipeline steps that the emulator has, by name, with their parameters; others are refused as unknown.

It decides what a step does to a build. A step sees the engine of its build and its block alone. Importing the package registers
the steps with the execution, which does not know them; the controller does that.
"""

from . import asking, basic, data, internal, node, world

__all__ = ["asking", "basic", "data", "internal", "node", "world"]
