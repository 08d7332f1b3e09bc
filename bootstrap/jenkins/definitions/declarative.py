"""The grammar of a declarative pipeline, as far as it can be told without Jenkins (pipeline-model-definition's validator).

Where plugins may add words (steps, options, triggers, parameters), a word is refused only if it is nearly one that is known;
where the grammar itself has them all (sections, conditions of `post`), any other is refused. What stands in `script`, in
`expression` and beside the pipeline is Groovy, and is left to it.
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

Found = tuple[int, str]
"""An offset in the text, and what is wrong there."""

_WORDS = frozenset({"if", "else", "for", "while", "try", "switch", "return", "def", "throw", "final", "assert", "new"})
_SHELLS = frozenset({"sh", "bat", "powershell", "pwsh"})
_BINDING = re.compile(r"^(variable|\w+Variable)$")


def pipeline(root: Statement) -> Iterator[Found]:
    """What is wrong with `pipeline { ... }`."""
    sections = root.body or ()
    yield from _sections(sections, SECTIONS, "section")
    for needed in ("agent", "stages"):
        if all(it.word != needed for it in sections):
            yield root.head.offset, f"the pipeline has no '{needed}'"
    yield from _shared(sections, inside_parallel=False)
    yield from _secrets(root)
    yield from _commas(root)
    yield from _glued(sections)


def _shared(sections: Sequence[Statement], *, inside_parallel: bool) -> Iterator[Found]:
    """The sections that pipelines and stages have alike."""
    judges: dict[str, Callable[[Statement], Iterator[Found]]] = {
        "agent": _agent,
        "environment": _environment,
        "post": _post,
        "options": lambda it: _listed(it, OPTIONS, "option"),
        "parameters": lambda it: _listed(it, PARAMETERS, "parameter"),
        "triggers": lambda it: _listed(it, TRIGGERS, "trigger"),
        "when": lambda it: _listed(it, WHEN, "condition"),
        "steps": _steps,
        "stages": lambda it: _stages(it, inside_parallel=inside_parallel),
        "parallel": lambda it: _stages(it, inside_parallel=True),
        "input": _input,
    }
    for section in sections:
        judge = judges.get(section.word)
        if judge is None:
            continue
        if section.body is None and section.word != "agent" and not (section.word == "input" and section.arguments):
            yield section.head.offset, f"'{section.word}' has no braces: {section.word} {{ ... }}"
        else:
            yield from judge(section)


def _sections(found: Sequence[Statement], known: Iterable[str], what: str) -> Iterator[Found]:
    """Words that are none of the known ones, and those that stand twice."""
    seen: set[str] = set()
    for it in found:
        if it.word not in known:
            yield it.head.offset, _unknown(it.head.text, known, what)
        elif it.word in seen:
            yield it.head.offset, f"the {what} '{it.word}' is there twice"
        seen.add(it.word)


def _unknown(word: str, known: Iterable[str], what: str) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
    return f"unknown {what} '{word}'; {hint}"


def _stages(section: Statement, *, inside_parallel: bool) -> Iterator[Found]:
    names: set[str] = set()
    if not section.body:
        yield section.head.offset, f"'{section.word}' has no stage"
    for it in section.body or ():
        if it.word != "stage":
            yield (
                it.head.offset,
                f"'{section.word}' can have only stages: stage('Name') {{ ... }}, not '{it.head.text}'",
            )
            continue
        name = next((token.text for token in it.arguments if token.kind == "text"), "")
        if len(name) <= 2:
            yield it.head.offset, "the stage has no name: stage('Name') { ... }"
        elif name in names:
            yield it.head.offset, f"the stage {name} is there twice"
        names.add(name)
        yield from _stage(it, name, inside_parallel=inside_parallel)


def _stage(stage: Statement, name: str, *, inside_parallel: bool) -> Iterator[Found]:
    sections = stage.body
    if sections is None:
        yield stage.head.offset, f"the stage {name} has no braces: stage('Name') {{ ... }}"
        return
    misplaced = [it for it in sections if it.word in STEPS and it.word not in STAGE_SECTIONS]
    for it in misplaced:
        yield it.head.offset, f"the step '{it.word}' is outside of 'steps': steps {{ {it.word} ... }}"
    yield from _sections([it for it in sections if it not in misplaced], STAGE_SECTIONS, "section")
    bodies = [it for it in sections if it.word in BODIES]
    if not bodies:
        yield stage.head.offset, f"the stage {name} has none of: {', '.join(BODIES)}"
    for it in bodies[1:]:
        yield (
            it.head.offset,
            f"the stage {name} has '{bodies[0].word}' already, and can have one of: {', '.join(BODIES)}",
        )
    for it in bodies:
        if inside_parallel and it.word in {"parallel", "matrix"}:
            yield it.head.offset, f"'{it.word}' is inside a parallel stage, which Jenkins does not accept"
    yield from _shared(sections, inside_parallel=inside_parallel)


def _agent(section: Statement) -> Iterator[Found]:
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
            yield first.head.offset, _unknown(first.head.text, AGENTS, "agent")


def _environment(section: Statement) -> Iterator[Found]:
    for it in section.body or ():
        given = it.arguments
        if not it.word or not given or given[0].text != "=":
            yield it.head.offset, f"'{it.head.text}' is not a variable: environment {{ NAME = 'value' }}"
        elif given[1:2] and given[1].kind not in {"text", "word"} and given[1].text != "(":
            yield given[1].offset, f"the value of '{it.word}' is neither a quoted string nor a call"


def _post(section: Statement) -> Iterator[Found]:
    if not section.body:
        yield section.head.offset, f"'post' has no condition; there are: {', '.join(CONDITIONS)}"
    for it in section.body or ():
        if it.word in STEPS and it.word not in CONDITIONS:
            yield it.head.offset, f"the step '{it.word}' is outside of a condition: always {{ {it.word} ... }}"
    conditions = [it for it in section.body or () if it.word not in STEPS]
    yield from _sections(conditions, CONDITIONS, "condition")
    for it in conditions:
        if it.word in CONDITIONS:
            yield from _steps(it)


def _steps(section: Statement) -> Iterator[Found]:
    if not section.body:
        yield section.head.offset, f"'{section.word}' has no step"
    for it in section.body or ():
        if it.word == "parallel" and any(branch.word == "stage" for branch in it.body or ()):
            yield it.head.offset, "a 'parallel' with stages is inside 'steps'; it replaces 'steps'"
        elif it.word == "stage":
            yield it.head.offset, "a 'stage' is inside steps; put it into 'stages'"
        elif it.word in {*SECTIONS, *STAGE_SECTIONS} - {"input", "parallel", "tools", *STEPS} and it.body is not None:
            yield it.head.offset, f"the section '{it.word}' is inside '{section.word}'; put it beside it"
        else:
            yield from _step(it)


def _step(step: Statement) -> Iterator[Found]:
    if step.is_call and step.word not in _WORDS and step.word not in STEPS:
        near = difflib.get_close_matches(step.word, STEPS, n=1, cutoff=0.8)
        if near:
            yield step.head.offset, f"unknown step '{step.word}'; did you mean '{near[0]}'?"
    if step.word not in {"script", *_WORDS} and step.body is not None and step.word in STEPS:
        for it in step.body:
            yield from _step(it)


def _listed(section: Statement, known: Sequence[str], what: str) -> Iterator[Found]:
    """Sections to whose words plugins add: what is nearly a known one is a slip."""
    if not section.body:
        yield section.head.offset, f"'{section.word}' has no {what}"
    for it in section.body or ():
        near = difflib.get_close_matches(it.word, known, n=1, cutoff=0.8)
        if it.word not in known and near:
            yield it.head.offset, f"unknown {what} '{it.word}'; did you mean '{near[0]}'?"


def _input(section: Statement) -> Iterator[Found]:
    if section.body is not None and all(it.word != "message" for it in section.body):
        yield section.head.offset, "'input' has no 'message'"


def _glued(found: Sequence[Statement]) -> Iterator[Found]:
    """Statements that Groovy would take for one, outside of Groovy's own: `agent { ... } steps { ... }`."""
    for it in found:
        if it.is_glued:
            yield it.head.offset, f"'{it.word}' needs a line of its own, or a ';' before it"
        if it.word not in {"script", "expression"}:
            yield from _glued(it.body or ())


def _commas(root: Statement) -> Iterator[Found]:
    """Arguments that stand side by side: `to: 'a' subject: 'b'`."""
    for it in _all(root):
        for before, name, colon in zip(it.arguments, it.arguments[1:], it.arguments[2:], strict=False):
            if before.kind == "text" and name.kind == "word" and colon.text == ":":
                yield name.offset, f"there is no comma before '{name.text}'"


def _secrets(root: Statement) -> Iterator[Found]:
    """Secrets that Groovy puts into a shell's text, where the shell's own variable would keep them out of the process list."""
    names = set(_bound(root))
    if not names:
        return
    pattern = re.compile(rf"\$\{{?(?:env\.)?({'|'.join(map(re.escape, sorted(names)))})\b")
    for step in _all(root):
        if step.word in _SHELLS:
            for token in step.arguments:
                if token.text.startswith('"') and (found := pattern.search(token.text)):
                    message = (
                        f"the secret {found[1]} would be in the command; in single quotes the shell reads ${found[1]}"
                    )
                    yield token.offset + found.start(), message


def _bound(root: Statement) -> Iterator[str]:
    """The variables that hold credentials: of `environment`, and those that withCredentials binds."""
    for it in _all(root):
        if (
            any(token.text == "credentials" for token in it.arguments)
            and it.arguments[:1]
            and it.arguments[0].text == "="
        ):
            yield from (it.word, f"{it.word}_USR", f"{it.word}_PSW")
        if it.word == "withCredentials":
            for name, value in zip(it.arguments, it.arguments[2:], strict=False):
                if _BINDING.match(name.text) and value.kind == "text":
                    yield value.text.strip("'\"")


def _all(statement: Statement) -> Iterator[Statement]:
    yield statement
    for it in statement.body or ():
        yield from _all(it)
