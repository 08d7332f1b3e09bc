"""Calls the public methods of python-jenkins: `play_python_jenkins.py URL USER PASSWORD`."""

import sys

import jenkins
import requests
from recording import Recording, until

URL, USER, PASSWORD = sys.argv[1:4]
record = Recording("jenkins")
server = jenkins.Jenkins(URL, USER, PASSWORD, timeout=120)
NAME, TEXT = "client-pj", "<description>changed</description>"
TESTED = "<testsuite tests='1'><testcase classname='a' name='b'/></testsuite>"
SCRIPT = f"""node {{ stage('One') {{ writeFile file: 't.xml', text: "{TESTED}"; junit 't.xml'; archiveArtifacts 't.xml' }} }}"""
PIPELINE = f"""<flow-definition><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<script>{SCRIPT.replace("<", "&lt;")}</script><sandbox>true</sandbox></definition></flow-definition>"""
SLEEPS = "<project><builders><hudson.tasks.Shell><command>sleep 600</command></hudson.tasks.Shell></builders></project>"
LATER = "<project><assignedNode>nowhere</assignedNode><canRoam>false</canRoam></project>"
SECRET = """<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>client-pj</id>
<description>d</description><secret>s</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>"""
NODE = """<slave><name>client-pj</name><remoteFS>/tmp/client-pj</remoteFS><numExecutors>2</numExecutors><mode>NORMAL</mode>
<launcher class="hudson.slaves.JNLPLauncher"/><label>changed</label></slave>"""


def build(name: str, parameters: dict[str, str] | None = None) -> int:
    """Queue a build and wait until it runs; its number."""
    item = server.build_job(name, parameters)
    return until(lambda: (server.get_queue_item(item).get("executable") or {}).get("number"))


def finish(name: str, number: int) -> dict[str, object]:
    """Wait for the end of a build."""
    until(lambda: not server.get_build_info(name, number)["inProgress"])
    return server.get_build_info(name, number)


def clear() -> None:
    """Remove what an earlier play left."""
    for name in (NAME, f"{NAME}-copy", f"{NAME}-renamed", f"{NAME}-pipe", f"{NAME}-later", f"{NAME}-folder"):
        if server.job_exists(name):
            server.delete_job(name)
    if server.node_exists(NAME):
        server.delete_node(NAME)
    if server.view_exists(NAME):
        server.delete_view(NAME)


clear()
with record.step("the server"):
    assert server.get_whoami()["id"] == USER
    assert server.get_version()
    assert server.get_info()["mode"] == "NORMAL"
    assert server.wait_for_normal_op(30)
    assert server.get_plugins()
    assert server.get_plugin_info("git")["shortName"] == "git"
    assert server.get_plugins_info()
    assert "5" in server.run_script("println 2 + 3")
    assert server.jenkins_open(requests.Request("GET", f"{URL}/api/json"))
    assert server.jenkins_request(requests.Request("GET", f"{URL}/api/json")).status_code == 200
    server.maybe_add_crumb(requests.Request("GET", f"{URL}/api/json"))
with record.step("jobs"):
    server.create_job(NAME, SLEEPS)
    server.assert_job_exists(NAME)
    assert server.get_job_name(NAME) == NAME
    assert server.get_job_info(NAME)["name"] == NAME
    assert server.get_job_info_regex(NAME)
    server.debug_job_info(NAME)
    assert NAME in {job["name"] for job in server.get_jobs()}
    assert NAME in {job["fullname"] for job in server.get_all_jobs()}
    assert server.jobs_count() >= 1
    server.reconfig_job(NAME, SLEEPS.replace("<project>", f"<project>{TEXT}"))
    assert "changed" in server.get_job_config(NAME)
    server.upsert_job(NAME, SLEEPS)
    server.disable_job(NAME)
    assert server.get_job_info(NAME)["color"].startswith("disabled")
    server.enable_job(NAME)
    server.copy_job(NAME, f"{NAME}-copy")
    server.rename_job(f"{NAME}-copy", f"{NAME}-renamed")
    server.delete_job(f"{NAME}-renamed")
    assert NAME in server.build_job_url(NAME)
with record.refused("a job that exists", "JenkinsException"):
    server.create_job(NAME, SLEEPS)
with record.refused(
    "the page of the plugin next-build-number, which is not among the locked ones", "NotFoundException"
):
    server.set_next_build_number(NAME, 7)
with record.step("folders"):
    server.create_folder(f"{NAME}-folder")
    assert server.is_folder(f"{NAME}-folder")
    server.assert_folder(f"{NAME}-folder")
    server.create_job(f"{NAME}-folder/inner", SLEEPS)
    assert server.job_exists(f"{NAME}-folder/inner")
with record.step("credentials of a folder"):
    folder = f"{NAME}-folder"
    server.create_credential(folder, SECRET)
    server.assert_credential_exists(NAME, folder)
    assert server.credential_exists(NAME, folder)
    assert server.get_credential_info(NAME, folder)["id"] == NAME
    assert "<id>" in server.get_credential_config(NAME, folder)
    server.reconfig_credential(folder, SECRET.replace(">d<", ">e<"))
    assert [each["id"] for each in server.list_credentials(folder)] == [NAME]
    server.delete_credential(NAME, folder)
with record.step("a build that is stopped"):
    number = build(NAME)
    assert any(each["name"] == NAME for each in server.get_running_builds())
    server.stop_build(NAME, number)
    assert finish(NAME, number)["result"] == "ABORTED"
    assert server.get_build_console_output(NAME, number)
    server.wipeout_job_workspace(NAME)
    server.delete_build(NAME, number)
with record.step("a Pipeline"):
    server.create_job(f"{NAME}-pipe", PIPELINE)
    number = build(f"{NAME}-pipe")
    assert finish(f"{NAME}-pipe", number)["result"] == "SUCCESS"
    assert server.get_build_test_report(f"{NAME}-pipe", number)["passCount"] == 1
    assert server.get_build_stages(f"{NAME}-pipe", number)["stages"][0]["name"] == "One"
    assert server.get_build_artifact_as_bytes(f"{NAME}-pipe", number, "t.xml") == TESTED.encode()
    # The plugin EnvInject, which is not among the locked ones, has the page of this method: it answers None without it.
    assert server.get_build_env_vars(f"{NAME}-pipe", number) is None
with record.step("an artifact as JSON"):
    script = SCRIPT.replace(
        "archiveArtifacts 't.xml'", "writeFile file: 'a.json', text: '{}'; archiveArtifacts 'a.json'"
    )
    server.reconfig_job(f"{NAME}-pipe", PIPELINE.replace(SCRIPT.replace("<", "&lt;"), script.replace("<", "&lt;")))
    number = build(f"{NAME}-pipe")
    finish(f"{NAME}-pipe", number)
    assert server.get_build_artifact(f"{NAME}-pipe", number, "a.json") == {}
    request = requests.Request("GET", f"{URL}/job/{NAME}-pipe/{number}/artifact/a.json")
    with server.jenkins_open_stream(request) as stream:
        assert stream.content == b"{}"
with record.step("a check of a Jenkinsfile"):
    assert (
        server.check_jenkinsfile_syntax("pipeline { agent any\n stages { stage('a') { steps { echo 'x' } } } }") == []
    )
    assert server.check_jenkinsfile_syntax("pipeline { }")
with record.step("the queue"):
    server.create_job(f"{NAME}-later", LATER)
    item = server.build_job(f"{NAME}-later")
    until(lambda: [each for each in server.get_queue_info() if each["id"] == item])
    server.cancel_queue(item)
    until(lambda: not [each for each in server.get_queue_info() if each["id"] == item])
with record.step("nodes"):
    # The client's own default is a launcher of a plugin that is not among the locked ones.
    launcher = jenkins.LAUNCHER_JNLP
    server.create_node(NAME, 1, nodeDescription="d", remoteFS="/tmp/client-pj", labels="l", launcher=launcher)
    server.assert_node_exists(NAME)
    assert NAME in {node["name"] for node in server.get_nodes()}
    assert server.get_node_info(NAME)["displayName"] == NAME
    assert server.get_nodes_with_info()
    server.disable_node(NAME, "because")  # it never was online, so this changes nothing
    server.enable_node(NAME)
    server.reconfig_node(NAME, NODE)
    assert "changed" in server.get_node_config(NAME)
    server.delete_node(NAME)
    assert not server.node_exists(NAME)
with record.step("views"):
    server.create_view(NAME, jenkins.EMPTY_VIEW_CONFIG_XML)
    server.assert_view_exists(NAME)
    assert server.get_view_name(NAME) == NAME
    assert NAME in {view["name"] for view in server.get_views()}
    server.reconfig_view(NAME, server.get_view_config(NAME))
    server.delete_view(NAME)
with record.step("quiet mode"):
    server.quiet_down()
    assert server.get_info()["quietingDown"]
    server.jenkins_open(requests.Request("POST", f"{URL}/cancelQuietDown"))
with record.step("the end"):
    clear()
record.print()
