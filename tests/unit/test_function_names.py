"""Functions are verbs that say what is done; values are nouns."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "bootstrap"
HELD = (
    *(
        "network",
        "environment",
        "stacks",
        "preconditions",
        "views",
        "cloud",
        "projects",
        "doctor",
        "cli",
        "jenkins",
        "runs",
    ),
    *("remote", "importing", "planning", "policies", "acts", "launch.py", "context.py"),
)
# Handlers have the names of their commands; the program on the machine names functions as the kinds of resources in its data.
NOT_HELD = (ROOT / "cli" / "commands", ROOT / "remote" / "converge")
WORDS = """
    accept add advise apply arrange ask await blank build bundle carry check choose clean clip clone compare complain compose
    compute configure confirm converse convert count create decode describe destroy download drain draw dump empty ensure enter
    estimate examine expect explain export extract fail fetch find follow forget format gather group hash hold import insert
    issue judge launch leave limit lint list load main make merge move name obtain offer open pack pair parse place plan prepare
    print probe proceed prove provision publish put quote read record refuse remove render replace report require resolve
    restore
    rotate run say send settle shorten show simulate solve sort split start stop summarize take translate verify wait walk
    write
"""
VERBS = frozenset(WORDS.split())
# How a function begins that answers a question with yes or no.
PREDICATES = frozenset({"is", "has", "can", "does", "may", "belongs", "covers", "satisfies"})


def find_nouns(path: Path) -> list[str]:
    """The public functions of a module whose first word is no verb that is in use; a context manager may be a noun."""
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    return [
        f"{path.name}:{node.lineno}: {node.name}: is this a verb? add it"
        for node in functions
        if not node.name.startswith("_")
        and node.name.partition("_")[0] not in VERBS | PREDICATES
        and not any("contextmanager" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]


def test_functions_begin_with_a_verb() -> None:
    paths = [path for name in HELD for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))]
    held = [path for path in paths if not any(path.is_relative_to(folder) for folder in NOT_HELD)]

    assert len(held) > 200
    assert [] == [noun for path in held for noun in find_nouns(path)]


def test_a_noun_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def zones(): ...\ndef read_zones(): ...\ndef _zones(): ...\n@contextmanager\ndef lock(): ...\n")

    assert ["module.py:1: zones: is this a verb? add it"] == find_nouns(module)
