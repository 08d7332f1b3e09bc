"""Calls the public methods of api4jenkins: `play_api4jenkins.py URL USER PASSWORD`."""

import asyncio
import sys
import tempfile

from recording import Recording, until

record = Recording("api4jenkins")
import asynchronous  # noqa: E402
from api4jenkins import Jenkins  # noqa: E402 (it is watched from its first use)

URL, USER, PASSWORD = sys.argv[1:4]
NAME = "client-a4j"
server = Jenkins(URL, auth=(USER, PASSWORD), timeout=120)
FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>"
FREE = """<project><properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.StringParameterDefinition><name>P</name><defaultValue>v</defaultValue></hudson.model.StringParameterDefinition>
</parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>
<builders><hudson.tasks.Shell><command>echo begun; sleep 600</command></hudson.tasks.Shell></builders></project>"""
TESTED = "<testsuite name='s' tests='1'><testcase classname='a' name='b'/></testsuite>"
SCRIPT = (
    f"""node {{ writeFile file: 't.xml', text: "{TESTED}"; junit 't.xml'; archiveArtifacts 't.xml'; input 'Go on?' }}"""
)
PIPELINE = f"""<flow-definition><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<script>{SCRIPT.replace("<", "&lt;")}</script><sandbox>true</sandbox></definition></flow-definition>"""
SECRET = """<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>client-a4j</id>
<description>d</description><secret>s</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>"""
KIND = "com.cloudbees.plugins.credentials.domains.Domain"
DOMAIN = f"<{KIND}><name>client-a4j</name></{KIND}>"
VIEW = "<hudson.model.ListView><name>client-a4j</name></hudson.model.ListView>"


def clear() -> None:
    """Remove what an earlier play left."""
    for name in (NAME, f"{NAME}-2", f"{NAME}-folder", f"{NAME}-later"):
        server.delete_job(name)
    if view := server.views.get(NAME):
        view.delete()
    if credential := server.credentials.global_domain.get(NAME):
        credential.delete()
    if node := server.nodes.get(NAME):
        node.delete()


clear()
with record.step("the server"):
    assert server.version
    assert server.exists()
    assert server.api_json()["mode"] == "NORMAL"
    assert server.is_name_safe("a")
    assert not server.is_name_safe("a?b")
    assert server.crumb
    assert server.validate_jenkinsfile("pipeline { agent any\n stages { stage('a') { steps { echo 'x' } } } }")
    assert "5" in server.system.run_script("println 2 + 3")
    assert server.dynamic_attrs
with record.step("settings"):
    server.system.reload_jcasc()
    assert "jenkins:" in server.system.export_jcasc()
with record.step("jobs"):
    server.create_job(f"{NAME}-folder/inner", FREE, recursive=True)
    server.create_job(NAME, FREE)
    server.copy_job(NAME, f"{NAME}-2")
    server.rename_job(f"{NAME}-2", f"{NAME}-3")
    server.move_job(f"{NAME}-3", f"{NAME}-folder")
    server.duplicate_job(NAME, f"{NAME}-2")
    job = server.get_job(NAME)
    assert (job.name, job.full_name, job.full_display_name) == (NAME, NAME, NAME)
    assert "begun" in job.configure()
    job.configure(FREE)
    job.disable()
    job.enable()
    job.set_description("d")
    assert [each["name"] for each in job.get_parameters()] == ["P"]
    assert list(server.iter())
    folder = server.get_job(f"{NAME}-folder")
    assert {each.name for each in folder.iter()} == {"inner", f"{NAME}-3"}
    folder.copy("inner", "copied")
    assert folder.get("copied").parent.name == f"{NAME}-folder"
    folder.create("made", FREE)
    folder.get("made").rename("named")
    folder.reload()
with record.refused("a job that exists", "BadRequestError"):
    server.create_job(NAME, FREE)
with record.refused("an unsafe name", "BadRequestError"):
    server.create_job("a?b", FREE)
with record.step("credentials of a folder"):
    store = server.get_job(f"{NAME}-folder").credentials
    store.global_domain.create(SECRET)
    assert store.global_domain.get(NAME).id == NAME
    assert [each.id for each in store.global_domain.iter()] == [NAME]
with record.step("credentials of the system"):
    server.credentials.global_domain.create(SECRET)
    held = server.credentials.global_domain.get(NAME)
    assert "secret-redacted" in held.configure()
    held.delete()
    assert server.credentials.get("_")
    server.credentials.create(DOMAIN)
    server.credentials.get(NAME).delete()
    assert list(server.credentials.iter())
with record.step("a build that is stopped"):
    item = server.build_job(NAME, P="w")
    build = until(item.get_build)
    assert item.get_job().name == NAME
    assert server.get_job(NAME).building
    until(lambda: "begun" in "".join(build.console_text()))
    assert [each.name for each in build.get_parameters()] == ["P"]
    assert build.get_causes()
    assert build.project.name == NAME
    build.stop()
    until(lambda: not build.api_json()["inProgress"])
    assert build.result == "ABORTED"
    assert any("begun" in str(line) for line in build.progressive_output())
    build.set_description("d")
    job = server.get_job(NAME)
    assert [each.number for each in job.iter()] == [each.number for each in job.iter_all_builds()]
    assert job.get(build.number).number == build.number
    assert len(list(job.filter_builds_by_result(result="ABORTED"))) == 1
    build.delete()
with record.refused("the next build of a freestyle build, which its API does not have", "KeyError"):
    item = server.build_job(NAME, P="w")
    build = until(item.get_build)
    build.term()
    build.kill()
    build.stop()
    build.get_next_build()
with record.refused(
    "the page of the plugin next-build-number, which is not among the locked ones", "ItemNotFoundError"
):
    server.get_job(NAME).set_next_build_number(9)
with record.step("a Pipeline with a question"):
    server.create_job(f"{NAME}-later", PIPELINE)
    run = until(server.build_job(f"{NAME}-later").get_build)
    question = until(run.get_pending_input)
    question.submit()
    until(lambda: not run.api_json()["inProgress"])
    assert run.result == "SUCCESS"
    assert [case.name for suite in run.get_test_report().suites for case in suite.cases] == ["b"]
    assert run.get_test_report().get("none of this name") is None
    assert [artifact.name for artifact in run.artifacts] == ["t.xml"]
    with tempfile.TemporaryDirectory() as folder:
        run.artifacts[0].save(f"{folder}/t.xml")
        run.save_artifacts(f"{folder}/all.zip")
    assert run.get_next_build() is None and run.get_previous_build() is None
    assert run.get_coverage_report() is None and run.get_coverage_result() is None and run.get_coverage_trends() is None
    run = until(server.build_job(f"{NAME}-later").get_build)
    until(run.get_pending_input).abort()
    until(lambda: not run.api_json()["inProgress"])
    assert run.result == "ABORTED"
with record.step("the queue"):
    xml = "<project><assignedNode>nowhere</assignedNode><canRoam>false</canRoam></project>"
    server.get_job(f"{NAME}-2").configure(xml)
    item = server.build_job(f"{NAME}-2")
    assert server.queue.get(item.id).id == item.id
    assert list(server.queue)
    item.cancel()
with record.step("views"):
    server.views.create(NAME, VIEW)
    view = server.views.get(NAME)
    view.include(NAME)
    assert view.get(NAME).name == NAME
    view.exclude(NAME)
    view.set_description("d")
    view.configure(view.configure())
    view.delete()
    assert list(server.views)
with record.step("nodes"):
    server.nodes.create(NAME, remoteFS="/tmp/client-a4j")
    node = server.nodes.get(NAME)
    node.disable("because")
    node.enable()
    node.configure(node.configure())
    assert list(server.nodes.iter())
    assert list(server.nodes.filter_node_by_status(online=True))
    list(server.nodes.filter_node_by_label("l"))
    list(server.nodes.iter_builds())
    list(node.iter_builds())
    list(server.nodes.iter_building_builds())
    node.delete()
with record.step("users and plugins"):
    assert server.me.id == USER
    token = server.user.generate_token(NAME)
    server.user.revoke_token(token.uuid)
    assert list(server.plugins)
    assert server.plugins.get("git").short_name == "git"
with record.refused("the list of users, which is not in Jenkins any more", "ItemNotFoundError"):
    list(server.users)
with record.refused("one of that list", "ItemNotFoundError"):
    server.users.get(USER)
with record.step("the end"):
    clear()
asyncio.run(asynchronous.play(record, URL, (USER, PASSWORD), PIPELINE, SECRET, DOMAIN, VIEW))
record.print()
