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
    *("remote", "importing", "planning", "acts", "launch.py", "context.py"),
)
# Here private functions, methods and functions within functions are held to it too.
HELD_WHOLLY = ("local/emulator", "local/aws")
# Handlers have the names of their commands; the program on the machine names functions as the kinds of resources in its data;
# the patches have the names of moto's modules and functions.
NOT_HELD = (ROOT / "cli" / "commands", ROOT / "remote" / "converge", ROOT / "local" / "aws" / "patches")
# Methods that botocore, werkzeug, io and moto call by these names.
FOREIGN = frozenset(
    {"headers_to_sign", "canonical_request", "payload", "stream"}
    | {"connection_dropped", "version_string", "readable", "readinto", "time", "utcnow"}
)
WORDS = """
    abort accept add admit adopt advise allocate announce answer append apply archive arm arrange ask assign associate
    assume attach authenticate authorize await begin bind blank boot breach bring build bundle call cancel carry catch
    change check choose claim clean clear clip clone close collect compare compile complain complete compose compress
    compute conclude configure confine confirm connect construct continue converge converse convert copy count create cut
    decide declare decode decrypt define delete deliver deregister describe destroy detach detect dig digest disable
    disassociate discard disconnect dismiss dispatch do download drain draw drop dump echo empty enable encode encrypt end
    enforce ensure enter escape estimate evaluate examine execute expand expect explain export extend extract fail feed
    fetch fill filter find fingerprint finish fire fit flatten flush follow forget format gather generate get give go greet
    group grow handle hash hear hide hold identify ignore imagine impersonate import include insert interpolate interrupt
    invalidate issue join judge keep kill launch leave lend limit lint list listen load locate lock log look lookup main
    make map mark mask match measure merge modify move mutate name narrow normalise note notify number obtain offer open
    order override pack pair parse pass pause peek permit pick place plan poll predict prepare prepend print probe proceed
    protect prove provision prune publish put query quiet quote rank read reboot receive reconcile record redirect refresh
    refuse register relabel release reload relocate remember remove rename render renumber repeat replace replay report
    require resize resolve respond restart restore restrict resubmit resume retry reveal revoke rewind rewrite roll rotate
    run save say scan schedule scrub seal select send separate serialise serve set settle setup shorten show shrink simulate
    skip sleep smooth solve sort spell split stamp start stash stop store strip submit substitute summarize suspend tag take
    tar tell terminate test throttle toggle touch translate trigger try turn type uncapitalise undo unescape unpack
    unprotect unstash untar unzip update upload validate verify wait wake walk warm warn watch wipe work worsen wrap write
    zip
"""
VERBS = frozenset(WORDS.split())
# How a function begins that answers a question with yes or no.
PREDICATES = frozenset(
    {"is", "has", "can", "does", "may", "must", "accepts", "allows", "belongs", "covers", "differs", "equals", "exists"}
    | {"fits", "inherits", "keeps", "makes", "matches", "needs", "replaces", "satisfies", "takes", "touches", "trusts"}
)
VALUES = ("contextmanager", "property", "setter")  # what such a decorator makes may have the name of a value


def find_nouns(path: Path, *, wholly: bool = False) -> list[str]:
    """The functions of a module whose first word is no verb that is in use: the public ones, or `wholly` all of them.

    Special methods are left out, and what a decorator turns into a value; methods of CloudFormation's API have its names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if wholly else tree.body
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [
        f"{path.name}:{node.lineno}: {node.name}: is this a verb? add it"
        for node in functions
        if not node.name.startswith("__" if wholly else "_")
        and node.name.lstrip("_").partition("_")[0] not in VERBS | PREDICATES
        and not (node.name in FOREIGN or node.name[:1].isupper())
        and not any(value in ast.unparse(decorator) for decorator in node.decorator_list for value in VALUES)
    ]


def test_all_functions_begin_with_a_verb() -> None:
    paths = [path for name in HELD_WHOLLY for path in (ROOT / name).rglob("*.py")]
    held = [path for path in paths if not any(path.is_relative_to(folder) for folder in NOT_HELD)]

    assert len(held) > 200
    assert [] == [noun for path in held for noun in find_nouns(path, wholly=True)]


def test_functions_begin_with_a_verb() -> None:
    paths = [path for name in HELD for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))]
    held = [path for path in paths if not any(path.is_relative_to(folder) for folder in NOT_HELD)]

    assert len(held) > 200
    assert [] == [noun for path in held for noun in find_nouns(path)]


def test_a_noun_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def zones(): ...\ndef read_zones(): ...\ndef _zones(): ...\n@contextmanager\ndef lock(): ...\n")

    assert ["module.py:1: zones: is this a verb? add it"] == find_nouns(module)
    wholly = find_nouns(module, wholly=True)
    assert ["module.py:1: zones: is this a verb? add it", "module.py:3: _zones: is this a verb? add it"] == wholly
