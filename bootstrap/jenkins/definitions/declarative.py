"""Checks the grammar of a declarative Pipeline, as far as this is possible without Jenkins.

The rules are those of the validator in the plugin pipeline-model-definition. Plugins can add steps, options, triggers and
parameters, so an unknown one is a fault only if it is similar to a known one. The grammar itself has all sections and all
conditions of `post`, so an unknown one is always a fault. The content of `script` and `expression`, and everything outside of
`pipeline { ... }`, is Groovy and is not checked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from bootstrap.jenkins.definitions.declarative_words import (
    AGENTS,
    BODIES,
    CONDITIONS,
    OPTIONS,
    PARAMETERS,
    SECTIONS,
    STAGE_SECTIONS,
    STEPS,
    TRIGGERS,
    WHEN,
)
from bootstrap.jenkins.definitions.groovy_text import Statement

OffsetFault = tuple[int, str]
"""An offset in the text, and the message of the fault there."""

_WORDS = frozenset({"if", "else", "for", "while", "try", "switch", "return", "def", "throw", "final", "assert", "new"})
_SHELLS = frozenset({"sh", "bat", "powershell", "pwsh"})
_BINDING = re.compile(r"^(variable|\w+Variable)$")


def check_pipeline(root: Statement) -> Iterator[OffsetFault]:
    """The faults in `pipeline { ... }`."""
    sections = root.body or ()
    yield from _check_sections(sections, SECTIONS, "section")
    for needed in ("agent", "stages"):
        if all(statement.word != needed for statement in sections):
            yield root.head.offset, f"the pipeline has no '{needed}'"
    yield from _check_shared_sections(sections, inside_parallel=False)
    yield from _check_secrets(root)
    yield from _check_commas(root)
    yield from _check_line_ends(sections)


def _check_shared_sections(sections: Sequence[Statement], *, inside_parallel: bool) -> Iterator[OffsetFault]:
    """Check the sections that are allowed in the pipeline and in a stage."""
    checks: dict[str, Callable[[Statement], Iterator[OffsetFault]]] = {
        "agent": _check_agent,
        "environment": _check_environment,
        "post": _check_post,
        "options": lambda section: _check_extensible(section, OPTIONS, "option"),
        "parameters": lambda section: _check_extensible(section, PARAMETERS, "parameter"),
        "triggers": lambda section: _check_extensible(section, TRIGGERS, "trigger"),
        "when": lambda section: _check_extensible(section, WHEN, "condition"),
        "steps": _check_steps,
        "stages": lambda section: _check_stages(section, inside_parallel=inside_parallel),
        "parallel": lambda section: _check_stages(section, inside_parallel=True),
        "input": _check_input,
    }
    for section in sections:
        check = checks.get(section.word)
        if check is None:
            continue
        if section.body is None and section.word != "agent" and not (section.word == "input" and section.arguments):
            yield section.head.offset, f"'{section.word}' has no braces: {section.word} {{ ... }}"
        else:
            yield from check(section)


def _check_sections(statements: Sequence[Statement], known: Iterable[str], what: str) -> Iterator[OffsetFault]:
    """Unknown and repeated words; `what` says what they are in the message."""
    seen: set[str] = set()
    for statement in statements:
        if statement.word not in known:
            yield statement.head.offset, _explain_unknown(statement.head.text, known, what)
        elif statement.word in seen:
            yield statement.head.offset, f"the {what} '{statement.word}' is there twice"
        seen.add(statement.word)


def _explain_unknown(word: str, known: Iterable[str], what: str) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
    return f"unknown {what} '{word}'; {hint}"


def _check_stages(section: Statement, *, inside_parallel: bool) -> Iterator[OffsetFault]:
    names: set[str] = set()
    if not section.body:
        yield section.head.offset, f"'{section.word}' has no stage"
    for statement in section.body or ():
        if statement.word != "stage":
            yield (
                statement.head.offset,
                f"'{section.word}' can have only stages: stage('Name') {{ ... }}, not '{statement.head.text}'",
            )
            continue
        name = next((token.text for token in statement.arguments if token.kind == "text"), "")
        if len(name) <= 2:
            yield statement.head.offset, "the stage has no name: stage('Name') { ... }"
        elif name in names:
            yield statement.head.offset, f"the stage {name} is there twice"
        names.add(name)
        yield from _check_stage(statement, name, inside_parallel=inside_parallel)


def _check_stage(stage: Statement, name: str, *, inside_parallel: bool) -> Iterator[OffsetFault]:
    sections = stage.body
    if sections is None:
        yield stage.head.offset, f"the stage {name} has no braces: stage('Name') {{ ... }}"
        return
    misplaced = [
        statement for statement in sections if statement.word in STEPS and statement.word not in STAGE_SECTIONS
    ]
    for statement in misplaced:
        yield (
            statement.head.offset,
            f"the step '{statement.word}' is outside of 'steps': steps {{ {statement.word} ... }}",
        )
    yield from _check_sections(
        [statement for statement in sections if statement not in misplaced], STAGE_SECTIONS, "section"
    )
    bodies = [statement for statement in sections if statement.word in BODIES]
    if not bodies:
        yield stage.head.offset, f"the stage {name} has none of: {', '.join(BODIES)}"
    for statement in bodies[1:]:
        yield (
            statement.head.offset,
            f"the stage {name} has '{bodies[0].word}' already, and can have one of: {', '.join(BODIES)}",
        )
    for statement in bodies:
        if inside_parallel and statement.word in {"parallel", "matrix"}:
            yield statement.head.offset, f"'{statement.word}' is inside a parallel stage, which Jenkins does not accept"
    yield from _check_shared_sections(sections, inside_parallel=inside_parallel)


def _check_agent(section: Statement) -> Iterator[OffsetFault]:
    if section.body is None:
        word = section.arguments[0].text if section.arguments else ""
        if word not in {"any", "none"}:
            shown = f", not {word}" if word else ""
            yield section.head.offset, f"an agent is 'any', 'none' or a block, as agent {{ label 'name' }}{shown}"
    elif not section.body:
        yield section.head.offset, "the agent's braces are empty: agent { label 'name' }"
    else:
        first = section.body[0]
        if first.word not in AGENTS:
            yield first.head.offset, _explain_unknown(first.head.text, AGENTS, "agent")


def _check_environment(section: Statement) -> Iterator[OffsetFault]:
    for statement in section.body or ():
        given = statement.arguments
        if not statement.word or not given or given[0].text != "=":
            yield statement.head.offset, f"'{statement.head.text}' is not a variable: environment {{ NAME = 'value' }}"
        elif given[1:2] and given[1].kind not in {"text", "word"} and given[1].text != "(":
            yield given[1].offset, f"the value of '{statement.word}' is neither a quoted string nor a call"


def _check_post(section: Statement) -> Iterator[OffsetFault]:
    if not section.body:
        yield section.head.offset, f"'post' has no condition; there are: {', '.join(CONDITIONS)}"
    for statement in section.body or ():
        if statement.word in STEPS and statement.word not in CONDITIONS:
            yield (
                statement.head.offset,
                f"the step '{statement.word}' is outside of a condition: always {{ {statement.word} ... }}",
            )
    conditions = [statement for statement in section.body or () if statement.word not in STEPS]
    yield from _check_sections(conditions, CONDITIONS, "condition")
    for statement in conditions:
        if statement.word in CONDITIONS:
            yield from _check_steps(statement)


def _check_steps(section: Statement) -> Iterator[OffsetFault]:
    if not section.body:
        yield section.head.offset, f"'{section.word}' has no step"
    for statement in section.body or ():
        if statement.word == "parallel" and any(branch.word == "stage" for branch in statement.body or ()):
            yield statement.head.offset, "a 'parallel' with stages is inside 'steps'; it replaces 'steps'"
        elif statement.word == "stage":
            yield statement.head.offset, "a 'stage' is inside steps; put it into 'stages'"
        elif (
            statement.word in {*SECTIONS, *STAGE_SECTIONS} - {"input", "parallel", "tools", *STEPS}
            and statement.body is not None
        ):
            yield statement.head.offset, f"the section '{statement.word}' is inside '{section.word}'; put it beside it"
        else:
            yield from _check_step(statement)


def _check_step(step: Statement) -> Iterator[OffsetFault]:
    if step.is_call and step.word not in _WORDS and step.word not in STEPS:
        near = difflib.get_close_matches(step.word, STEPS, n=1, cutoff=0.8)
        if near:
            yield step.head.offset, f"unknown step '{step.word}'; did you mean '{near[0]}'?"
    if step.word not in {"script", *_WORDS} and step.body is not None and step.word in STEPS:
        for statement in step.body:
            yield from _check_step(statement)


def _check_extensible(section: Statement, known: Sequence[str], what: str) -> Iterator[OffsetFault]:
    """Check a section in which plugins can add words: only a word that is similar to a known one is a fault."""
    if not section.body:
        yield section.head.offset, f"'{section.word}' has no {what}"
    for statement in section.body or ():
        near = difflib.get_close_matches(statement.word, known, n=1, cutoff=0.8)
        if statement.word not in known and near:
            yield statement.head.offset, f"unknown {what} '{statement.word}'; did you mean '{near[0]}'?"


def _check_input(section: Statement) -> Iterator[OffsetFault]:
    if section.body is not None and all(statement.word != "message" for statement in section.body):
        yield section.head.offset, "'input' has no 'message'"


def _check_line_ends(statements: Sequence[Statement]) -> Iterator[OffsetFault]:
    """Two statements on one line, which Groovy reads as one: `agent { ... } steps { ... }`."""
    for statement in statements:
        if statement.is_glued:
            yield statement.head.offset, f"'{statement.word}' needs a line of its own, or a ';' before it"
        if statement.word not in {"script", "expression"}:
            yield from _check_line_ends(statement.body or ())


def _check_commas(root: Statement) -> Iterator[OffsetFault]:
    """Arguments without a comma between them: `to: 'a' subject: 'b'`."""
    for statement in _walk(root):
        for before, name, colon in zip(
            statement.arguments, statement.arguments[1:], statement.arguments[2:], strict=False
        ):
            if before.kind == "text" and name.kind == "word" and colon.text == ":":
                yield name.offset, f"there is no comma before '{name.text}'"


def _check_secrets(root: Statement) -> Iterator[OffsetFault]:
    """Secrets that Groovy inserts into a command; the process list would show them. A shell variable keeps them out of it."""
    names = set(_list_secret_variables(root))
    if not names:
        return
    pattern = re.compile(rf"\$\{{?(?:env\.)?({'|'.join(map(re.escape, sorted(names)))})\b")
    for step in _walk(root):
        if step.word in _SHELLS:
            for token in step.arguments:
                if token.text.startswith('"') and (secret := pattern.search(token.text)):
                    message = (
                        f"the secret {secret[1]} would be in the command; in single quotes the shell reads ${secret[1]}"
                    )
                    yield token.offset + secret.start(), message


def _list_secret_variables(root: Statement) -> Iterator[str]:
    """The variables with credentials: those of `environment`, and those that `withCredentials` binds."""
    for statement in _walk(root):
        if (
            any(token.text == "credentials" for token in statement.arguments)
            and statement.arguments[:1]
            and statement.arguments[0].text == "="
        ):
            yield from (statement.word, f"{statement.word}_USR", f"{statement.word}_PSW")
        if statement.word == "withCredentials":
            for name, value in zip(statement.arguments, statement.arguments[2:], strict=False):
                if _BINDING.match(name.text) and value.kind == "text":
                    yield value.text.strip("'\"")


def _walk(statement: Statement) -> Iterator[Statement]:
    yield statement
    for inner in statement.body or ():
        yield from _walk(inner)
