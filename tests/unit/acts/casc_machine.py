"""A machine with configuration files, and a Jenkins that exports and reloads them."""

import io
import tarfile
from collections.abc import Sequence

from bootstrap.jenkins.controller import account_record, provided_variables, settings_record
from bootstrap.values import Result

GOOD = {"a.yaml": "jenkins:\n  mode: NORMAL\n", "b.yaml": "tool:\n  git: {}\n"}
EXPORT = "jenkins:\n  mode: NORMAL\n"


class Machine:
    """The machine's folder in memory; it knows the scripts of the act and refuses any other command."""

    def __init__(self, files: dict[str, str], applied: str | None = None, exported: str = "") -> None:
        self.files = dict(files)
        self.exported = exported
        self.previous: dict[str, str] | None = None
        self.applied = applied
        self.ran: list[str] = []
        self.journal = ""
        self.variables: list[str] | None = None  # those of the running Jenkins; None if no Jenkins runs
        self.accounts = ""  # the record of the accounts of people, which the data volume has
        self.passwords = ""  # the digest of people's passwords, if Jenkins has others

    def run(self, command: Sequence[str], *, stdin: bytes = b"", sudo: bool = False, **_: object) -> Result:
        assert sudo, "the files belong to root"
        if command[0] == "journalctl":
            return Result("journalctl", 0 if self.journal else 1, self.journal, "")
        if command[0] == "runuser":
            return self._run_as_jenkins(command, stdin)
        if list(command) == ["cat", settings_record._EXPORTED]:
            return Result("cat", 0 if self.exported else 1, self.exported, "")
        shell, flag, script, *arguments = command
        assert (shell, flag) == ("sh", "-c")
        if script == provided_variables.LOOK:
            return Result("look", 1 if self.variables is None else 0, "\n".join(self.variables or ()), "")
        name = {
            settings_record._LOOK: "look",
            settings_record._PLACE: "place",
            settings_record._PUT_BACK: "put back",
            settings_record._CONFIRM: "confirm",
        }[script]
        self.ran.append(name)
        output = getattr(self, f"_{name.replace(' ', '_')}")(arguments[1:], stdin)
        return Result(name, 0, output or "", "")

    def _run_as_jenkins(self, command: Sequence[str], stdin: bytes) -> Result:
        assert list(command[:5]) == ["runuser", "-u", "jenkins", "--", "sh"]
        if command[-1] == account_record._WRITE:
            self.accounts = stdin.decode()
            self.ran.append("record")
        return Result("runuser", 0, self.accounts if command[-1] == account_record._READ else "", "")

    def _look(self, _: list[str], __: bytes) -> str:
        lines = [f"{settings_record._compute_digest(text)}  {name}\n" for name, text in self.files.items()]
        more = {"/applied": self.applied, "/passwords": self.passwords}
        return "".join(lines) + "".join(f"{value}  {name}\n" for name, value in more.items() if value)

    def _place(self, removed: list[str], stdin: bytes) -> None:
        self.previous, self.applied = dict(self.files), settings_record._UNFINISHED if self.applied else None
        with tarfile.open(fileobj=io.BytesIO(stdin)) as archive:
            for entry in archive:
                content = archive.extractfile(entry)
                assert content is not None
                self.files[entry.name] = content.read().decode()
        for name in removed:
            del self.files[name]

    def _put_back(self, _: list[str], __: bytes) -> None:
        assert self.previous is not None
        self.files, self.previous = self.previous, None

    def _confirm(self, arguments: list[str], stdin: bytes) -> None:
        self.applied, self.previous, self.exported, self.passwords = arguments[0], None, stdin.decode(), ""


def digest_of(export: str) -> str:
    return settings_record._compute_digest(export)
