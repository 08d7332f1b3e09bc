"""What the answer to a question hands over: the values of a form, defaults, and who answered."""

from __future__ import annotations

from typing import Any

from bootstrap.jenkins.controller import questions
from bootstrap.values import Secret
from tests.contract.questions import Xml, asked, stage, with_token

PARAMETERS = "parameters: [string(name: 'WHO', defaultValue: 'world'), choice(name: 'HOW', choices: ['fast', 'slow'])]"


def scripted(more: str, told: str) -> str:
    """Asks, and tells what was answered."""
    return f"script {{\ndef given = input(id: 'Question', message: 'Go on?', {more})\necho \"{told}\"\n}}"


def test_the_values_of_a_form_are_the_steps_value(server: Any, name: str, pipeline: Xml) -> None:
    script = scripted(PARAMETERS, "${given.WHO} ${given.HOW}")
    number = asked(server, name, pipeline(stage(script)), "Input requested")
    form = '{"parameter": [{"name": "WHO", "value": "you"}, {"name": "HOW", "value": "slow"}]}'
    assert server.post(f"job/{name}/{number}/input/Question/proceed", data={"json": form}).status_code == 200
    build, log = server.finish(name, number)
    assert build["result"] == "SUCCESS"
    assert "\nyou slow\n" in log


def test_the_next_input_is_answered_by_its_identifier(server: Any, name: str, pipeline: Xml) -> None:
    number = asked(server, name, pipeline(stage(scripted(PARAMETERS, "${given.WHO} ${given.HOW}"))), "Input requested")
    path = f"job/{name}/{number}/wfapi"
    waiting = server.get(f"{path}/nextPendingInputAction").json()
    form = '{"parameter": [{"name": "WHO", "value": "me"}, {"name": "HOW", "value": "fast"}]}'

    answer = server.post(
        f"{path}/inputSubmit", params={"inputId": waiting["id"]}, data={"json": form, "proceed": "Yes"}
    )

    assert 200 == answer.status_code
    assert "\nme fast\n" in server.finish(name, number)[1]
    assert server.get(f"{path}/nextPendingInputAction").json() is None


def test_nothing_given_is_nothing_answered_not_even_a_default(server: Any, name: str, pipeline: Xml) -> None:
    script = scripted(PARAMETERS, "it is ${given}")
    number = asked(server, name, pipeline(stage(script)), "Input requested")
    server.post(f"job/{name}/{number}/input/Question/proceedEmpty")
    assert "\nit is null\n" in server.finish(name, number)[1]


def test_who_answered_is_a_value_where_that_is_asked_for(server: Any, name: str, pipeline: Xml) -> None:
    script = scripted("submitterParameter: 'WHO'", "by ${given}")
    number = asked(server, name, pipeline(stage(script)))
    server.post(f"job/{name}/{number}/input/Question/proceedEmpty")
    assert f"\nby {server.user}\n" in server.finish(name, number)[1]


def test_a_stage_asks_before_it_takes_an_agent_and_its_answers_are_variables(
    server: Any, name: str, pipeline: Xml
) -> None:
    more = (
        "input {\nid 'Question'\nmessage 'Go on?'\nok 'Yes'\nparameters { string(name: 'WHO', defaultValue: 'x') }\n}"
    )
    script = stage('echo "to ${WHO}"', f"agent any\n{more}").replace("agent any", "agent none", 1)
    number = asked(server, name, pipeline(script), "Input requested")
    before = server.client.get_build_console_output(name, number)
    form = '{"parameter": {"name": "WHO", "value": "you"}}'
    server.post(f"job/{name}/{number}/input/Question/proceed", data={"json": form})
    build, log = server.finish(name, number)
    assert "Running on" not in before
    assert (build["result"], "\nto you\n" in log) == ("SUCCESS", True)


def test_a_question_that_when_rules_out_is_not_asked(server: Any, name: str, pipeline: Xml) -> None:
    more = "when {\nbeforeInput true\nexpression { false }\n}\ninput {\nmessage 'Go on?'\n}"
    server.create("", name, pipeline(stage("echo 'never'", more)))
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    assert "Go on?" not in log and "\nnever\n" not in log


def test_a_secret_that_an_answer_hands_over_is_a_variable_of_its_stage_alone(
    server: Any, name: str, pipeline: Xml
) -> None:
    more = "input {\nid 'Question'\nmessage 'Go on?'\nparameters { password(name: 'KEY', description: 'x') }\n}"
    script = stage("sh 'printenv KEY | tr ab AB'", f"agent any\n{more}").replace(
        "\n}\n}\n}\n}", "\n}\n}\nstage('Two') {\nagent any\nsteps { sh 'echo later ${KEY:-none}' }\n}\n}\n}"
    )
    number = asked(server, name, pipeline(script), "Input requested")
    client = with_token(server)

    assert number == questions.find_question(client, name, "Question")
    assert questions.find_question(client, name, "Other") is None
    questions.proceed(client, name, number, "Question", {"KEY": Secret("a/+=b")})

    build, log = server.finish(name, number)
    assert "SUCCESS" == build["result"], log
    assert "\nA/+=B\n" in log and "\nlater none\n" in log and "a/+=b" not in log
    assert questions.find_question(client, name, "Question") is None
