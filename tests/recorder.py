"""A reporter for tests, which remembers what an act reports."""

from bootstrap.values import Change


class Recorder:
    """Remembers changes, lines of progress and notices; `texts` has the last two in their order, each notice after '! '."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.lines: list[str] = []
        self.notices: list[str] = []
        self.texts: list[str] = []

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None:
        self.lines.append(text)
        self.texts.append(text)

    def notice(self, text: str) -> None:
        self.notices.append(text)
        self.texts.append(f"! {text}")
