"""The examples that `--help` ends with, by command: what is typed after './bootstrap.py', and what it does."""

from __future__ import annotations

# '' is the whole command line's own help.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("launch", "a verified Jenkins on this machine"),
        ("-e aws launch", "the same on AWS, from environments/aws.yaml"),
        ("password", "the administrator's password"),
        ("verify", "check the running server, at any time"),
        ("destroy", "take it down; the data stays"),
    ),
    "launch": (
        ("launch", "from nothing, or whatever differs from the code"),
        ("--yes launch", "the same without a question, in a script"),
        ("launch --plan change.plan", "exactly what 'plan --out' showed, or nothing"),
    ),
    "plan": (
        ("plan -v", "every difference line by line"),
        ("plan --out change.plan", "keep it, for 'launch --plan change.plan'"),
        ("plan --json --exit-zero", "for a script: 0 where a plan could be made"),
    ),
    "verify": (
        ("verify", "the whole acceptance suite"),
        ("verify --only certificate", "only checks whose name holds 'certificate'"),
    ),
    "status": (
        ("status", "stacks, machine, rules, Jenkins, mail"),
        ("status --json", "the same for a machine"),
    ),
    "password": (
        ("password", "the administrator's"),
        ("password --user toolkit", "that of the jobs and of this toolkit"),
    ),
    "ssh": (
        ("ssh", "a shell on the machine"),
        ("ssh systemctl status jenkins", "one command there, and its exit code"),
    ),
    "logs": (
        ("logs", "the last of jenkins.service"),
        ("logs -f nginx.service", "another unit's, and what comes"),
    ),
    "network": (
        ("network plan", "what would change, what it interrupts and costs"),
        ("network apply", "the network's stacks alone"),
        ("network verify", "prove every intention on what is there"),
        ("network explain operators controller 443", "each hop, and where it ends"),
        ("network diagram network.svg", "draw what is there"),
        ("-e production network plan --out change.plan", "another network's; 'network apply --plan' applies it"),
    ),
    "host": (
        ("host plan", "what differs on the machine"),
        ("host apply", "mend it; a restart of Jenkins waits for running builds"),
        ("host apply --now", "without waiting for them"),
    ),
    "casc": (
        ("casc plan -v", "which settings differ, line by line"),
        ("casc apply", "checked by Jenkins, then applied"),
    ),
    "jobs": (
        ("jobs plan -v", "which jobs differ, line by line"),
        ("jobs apply --again canary", "send that one even if it seems the same"),
    ),
    "doctor": (
        ("doctor", "each line with its remedy"),
        ("-e aws doctor --policy", "the launcher's IAM policy, before anybody has it"),
    ),
    "drift": (
        ("drift", "each line with the command that mends it"),
        ("drift -v", "with the lines of settings that a reload overwrites"),
    ),
    "build": (
        ("build verify", "start it and follow its console"),
        ("build canary -p WORD=hello", "with a parameter"),
    ),
    "mail": (
        ("mail", "the list"),
        ("mail 3", "the third message"),
    ),
    "history": (
        ("history --lines 5", "the last five runs"),
        ("history --all", "those that only looked, too"),
    ),
    "report": (
        ("report", "the last run's page"),
        ("report 20260131T101500Z-4f2a --text", "a run, in this terminal"),
        ("report i-0abc1234", "the run that last changed a resource"),
    ),
    "destroy": (
        ("destroy", "the data volume, keys and secrets stay"),
        ("destroy --delete-data local", "they do not; the name is repeated to agree"),
    ),
    "schema": (("schema > environments/schema.json", "what editors complete keys by"),),
    "lock": (("lock", "after a change of pyproject.toml"),),
    "test": (
        ("test", "lint, types and every test"),
        ("test -e unit -- -k drift", "a part of it, and what pytest takes"),
    ),
}


def epilog(command: str = "") -> str:
    """The end of a command's help."""
    lines = EXAMPLES[command]
    width = max(len(typed) for typed, _ in lines)
    return "\n".join(["examples:", *(f"  ./bootstrap.py {typed:<{width}}  {does}" for typed, does in lines)])
