"""A build of an ordinary job tries to use the machine's IAM role, and to read or reach what the toolkit's own jobs have."""

import ipaddress
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from trial import Launched

HOME = "/var/lib/jenkins"
UNIT = "jenkins-builder.service"
ENDPOINT = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
ANY = "pipeline {{ agent any\nstages {{ stage('a') {{ steps {{ sh '''#!/bin/sh\n{script}\n''' }} }} }} }}"
Run = Callable[[str], str]
TOKEN = "curl -s --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'"
TAKE_ROLE = f"""
token=$({TOKEN} "$where"latest/api/token)
ask() {{ curl -s --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$where"latest/meta-data/iam/security-credentials/$1; }}
role=$(ask ""); [ -n "$role" ] || role=none
ask "$role" | grep -q SecretAccessKey && echo "got: credentials from $where"
"""


@pytest.fixture(params=["freestyle", "agent any"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a shell script in a job that asks for no label, and returns what it prints; the script itself must succeed."""

    def run(script: str) -> str:
        assert "'''" not in script
        if request.param == "freestyle":
            console = request.getfixturevalue("run_freestyle")(f"#!/bin/sh\n{script}")
        else:
            console = request.getfixturevalue("run_pipeline")(ANY.format(script=script.replace("\\", "\\\\")))
        assert "Finished: SUCCESS" in console, console
        return str(console)

    return run


@pytest.fixture
def run_infrastructure(run_pipeline: Run) -> Run:
    """The same on the agent of the toolkit's own jobs."""
    return lambda script: run_pipeline(f"node('infrastructure') {{ sh '''#!/bin/sh\n{script}\n''' }}")


def lines(console: str, mark: str) -> list[str]:
    return re.findall(rf"{mark}: (.*)", console)


def on_machine(launched: Launched, script: str) -> str:
    return launched.context.shell.run(["sh", "-c", script], sudo=True).stdout.strip()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


def is_online(launched: Launched, node: str) -> bool:
    return not launched.context.jenkins.get_node_info(node)["offline"]


@pytest.fixture
def endpoint(launched: Launched) -> str:
    """Where the machine has the metadata service, ending in a slash."""
    return on_machine(launched, f". /etc/bootstrap/aws.env; echo ${ENDPOINT}")


def test_a_job_without_a_label_runs_as_a_user_of_its_own_in_no_other_group(run: Run) -> None:
    console = run('echo "who: $(id -un) $(id -Gn)"; echo "where: $NODE_NAME $PWD"')

    assert ["jenkins-builder jenkins-builder"] == lines(console, "who")
    (where,) = lines(console, "where")
    assert where.startswith("builder /var/lib/jenkins-builder/workspace/")


def test_an_ordinary_build_gets_no_credentials_of_the_machine(launched: Launched, run: Run, endpoint: str) -> None:
    """Neither at EC2's own addresses nor where the local cloud answers: at the router of any subnet."""
    subnets = launched.context.world.aws("ec2").describe_subnets()["Subnets"]
    routers = sorted({str(ipaddress.ip_network(subnet["CidrBlock"])[1]) for subnet in subnets})
    port = urlsplit(endpoint).port
    assert f"http://{urlsplit(endpoint).hostname}:{port}/" == endpoint and urlsplit(endpoint).hostname in routers
    places = ["http://169.254.169.254/", "http://[fd00:ec2::254]/", *(f"http://{each}:{port}/" for each in routers)]
    script = "".join(f"where={place}\n{TAKE_ROLE}\n" for place in places)

    console = run(f"{script}env | grep '^AWS_' | grep -v AWS_CA_BUNDLE | sed 's/^/got: /'\ntrue")

    assert [] == lines(console, "got")
    codes = run(f"echo \"code: $({TOKEN} -o /dev/null -w '%{{http_code}}' {endpoint}latest/api/token)\"; true")
    assert ["000"] == lines(codes, "code")


def test_a_build_of_the_toolkit_still_gets_credentials(run_infrastructure: Run, endpoint: str) -> None:
    console = run_infrastructure(f"where=${ENDPOINT}\n{TAKE_ROLE}")

    assert [f"credentials from {endpoint}"] == lines(console, "got"), console


@pytest.fixture
def open_file(launched: Launched, run_infrastructure: Run) -> str:
    """A file in a workspace of the toolkit's agent that its own build has opened to everybody."""
    console = run_infrastructure('echo x > open.txt; chmod 0777 . open.txt; echo "where: $PWD/open.txt"')
    (path,) = lines(console, "where")
    assert "x" == on_machine(launched, f"cat {path}")
    return path


def test_an_ordinary_build_reads_nothing_of_the_toolkit_jenkins_or_root(
    launched: Launched, run: Run, open_file: str
) -> None:
    kept = [f"{HOME}/config.xml", "/etc/jenkins/credentials/ADMIN_PASSWORD", "/etc/jenkins/agent.secret"]
    kept += ["/etc/jenkins/builder.secret", "/etc/bootstrap/toolkit/token", "/etc/bootstrap/aws.env", "/etc/shadow"]
    kept += [
        "/var/lib/jenkins-agent",
        "/var/cache/jenkins-agent/venvs",
        "/var/cache/jenkins-agent/agent.jar",
        open_file,
    ]
    kept += [f"{HOME}/jobs/canary/config.xml", "/etc/nginx/tls/server.key", "/run/credentials/jenkins-agent.service"]
    assert len(kept) == len(on_machine(launched, f"ls -1d {' '.join(kept)}").splitlines())
    paths = " ".join([*kept, HOME, "/run/credentials/jenkins.service"])
    script = f"""for path in {paths}; do
        if cat "$path" >/dev/null 2>&1 || ls "$path/" >/dev/null 2>&1; then echo "got: $path"; fi
        if (echo x > "$path/attack-marker") 2>/dev/null; then echo "got: written to $path"; fi
    done"""

    assert [] == lines(run(script), "got")


def test_an_ordinary_build_is_told_no_facts_about_the_machine(run: Run, run_infrastructure: Run) -> None:
    script = "/usr/local/sbin/inspect-machine 2>/dev/null | grep -q firewall && echo 'got: facts'; true"

    assert [] == lines(run(script), "got")
    assert ["facts"] == lines(run_infrastructure(script), "got")


def test_an_ordinary_build_reaches_no_service_of_the_system_and_shares_no_memory(launched: Launched, run: Run) -> None:
    manager = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager"
    script = f"""busctl --system call {manager} GetUnitProcesses s jenkins-agent.service >/dev/null 2>&1 && echo 'got: D-Bus'
    python3 -c "
import socket
for path in ('/run/systemd/journal/socket', '/run/systemd/journal/dev-log', '/dev/log', '/run/systemd/private'):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        try:
            socket.socket(socket.AF_UNIX, kind).connect(path)
        except OSError:
            continue
        print('got:', path)
"
    echo x > /dev/shm/attack-marker && echo 'shared: memory'
    true"""

    console = run(script)
    assert [] == lines(console, "got")
    assert ["memory"] == lines(console, "shared")
    assert "" == on_machine(launched, "ls /dev/shm | grep attack-marker || true")


def test_an_ordinary_build_that_listens_does_not_spoil_the_verdict(launched: Launched, run: Run) -> None:
    """One that also has line breaks in its name; of the checks, those of the sockets."""
    listen = """import ctypes, socket, time
ctypes.CDLL(None).prctl(15, b'x' + bytes([10]) + b'tcp 0 0 0 *:1', 0, 0, 0)
held = [socket.create_server(('0.0.0.0', 9999)), socket.create_server(('127.0.0.1', 23456))]
time.sleep(120)"""
    left = "BUILD_ID=dontKillMe JENKINS_NODE_COOKIE=dontKillMe setsid"
    run(f'{left} python3 -c "{listen}" >/dev/null 2>&1 & sleep 2; true')

    launched.done("verify", "--only", "machine")
    assert on_machine(launched, "ss -H -l -t -n sport = :9999 || true")
    on_machine(launched, f"systemctl restart {UNIT}")
    wait_for(lambda: is_online(launched, "builder"))


def test_a_build_that_wants_the_port_of_jenkins_does_not_keep_it_down(launched: Launched, run_freestyle: Run) -> None:
    take = """import socket, time
held = None
while held is None:
    try:
        held = socket.create_server(('127.0.0.1', 8080))
    except OSError:
        time.sleep(0.01)
time.sleep(600)"""
    console = run_freestyle(
        f'#!/bin/sh\nBUILD_ID=dontKillMe setsid python3 -c "{take}" >/dev/null 2>&1 & sleep 1; true'
    )
    assert "Finished: SUCCESS" in console, console
    assert on_machine(launched, "pgrep -u jenkins-builder -f create_server || true")

    on_machine(launched, "systemctl restart jenkins.service")

    assert "" == on_machine(launched, "pgrep -u jenkins-builder -f create_server || true")
    wait_for(lambda: is_online(launched, "builder") and is_online(launched, "machine"))


def test_an_ordinary_build_sees_no_other_process_and_neither_signals_nor_traces_it(
    launched: Launched, run: Run
) -> None:
    units = ("jenkins.service", "jenkins-agent.service")
    show = f"systemctl show -p MainPID --value {' '.join(units)} | grep ."
    numbers = on_machine(launched, show).split()
    assert len(units) == len(numbers)
    script = f"""for number in {" ".join(numbers)}; do
        for signal in 0 STOP TERM; do kill -$signal $number 2>/dev/null && echo "got: kill -$signal $number"; done
        for name in environ maps mem cmdline; do
            cat /proc/$number/$name >/dev/null 2>&1 && echo "got: $name of $number"
        done
        ls /proc/$number/fd/ /proc/$number/root/ >/dev/null 2>&1 && echo "got: files of $number"
        python3 -c "
import ctypes
if ctypes.CDLL(None).ptrace(16, $number, 0, 0) == 0:
    print('got: ptrace $number')
"
    done
    stat -c '%U' /proc/[0-9]* 2>/dev/null | grep -v jenkins-builder | sed 's/^/got: a process of /'
    true"""

    assert [] == lines(run(script), "got")
    assert numbers == on_machine(launched, show).split()


def test_an_ordinary_build_reaches_only_what_it_needs_on_the_loopback(run: Run) -> None:
    script = """python3 -c "
import socket
for port in (22, 443, 8080):
    try:
        socket.create_connection(('127.0.0.1', port), timeout=3).close()
        print('reached:', port)
    except OSError:
        print('refused:', port)
"
    """
    console = run(script)

    assert (["443", "8080"], ["22"]) == (lines(console, "reached"), lines(console, "refused"))


def test_an_ordinary_build_answers_on_no_address_at_the_port_of_jenkins(run: Run) -> None:
    """Otherwise it could take the place of a Jenkins that does not run. Its own services at other ports answer."""
    script = """python3 -c "
import socket
for port in (8080, 18080):
    server = socket.create_server(('127.0.0.9', port))
    try:
        socket.create_connection(('127.0.0.9', port), timeout=3).close()
        print('answered:', port)
    except OSError:
        print('silent:', port)
"
    """
    console = run(script)

    assert (["18080"], ["8080"]) == (lines(console, "answered"), lines(console, "silent"))


def test_an_ordinary_build_cannot_connect_as_the_toolkits_agent(launched: Launched, run: Run) -> None:
    console = run(
        """for name in machine builder; do
            curl -s -o /dev/null -w 'status: %{http_code}' -H "Node-Name: $name" -H "Secret-Key: 00" \\
                -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \\
                -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' http://127.0.0.1:8080/wsagents/
            echo
        done"""
    )

    assert ["403", "403"] == lines(console, "status")
    assert is_online(launched, "machine")


@pytest.fixture
def started_again(launched: Launched) -> Iterator[None]:
    yield
    on_machine(launched, f"systemctl start nftables.service {UNIT}")
    wait_for(lambda: is_online(launched, "builder"))


@pytest.mark.usefixtures("started_again")
def test_no_ordinary_build_runs_while_the_firewall_is_stopped(launched: Launched) -> None:
    on_machine(launched, "systemctl stop nftables.service")

    states = on_machine(launched, f"systemctl is-active {UNIT} jenkins-agent.service || true").split()
    assert ["inactive", "active"] == states


def test_a_killed_agent_comes_back(launched: Launched, run: Run) -> None:
    number = on_machine(launched, f"systemctl show -p MainPID --value {UNIT}")
    on_machine(launched, f"systemctl kill --signal KILL {UNIT}")

    wait_for(lambda: on_machine(launched, f"systemctl show -p MainPID --value {UNIT}") not in {number, "0"})
    wait_for(lambda: is_online(launched, "builder"))
    assert ["yes"] == lines(run("echo 'back: yes'"), "back")
