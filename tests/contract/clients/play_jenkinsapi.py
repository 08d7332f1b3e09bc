"""Calls public methods of jenkinsapi: `play_jenkinsapi.py URL USER PASSWORD`."""

import json
import sys
import tempfile

from jenkinsapi_calls import list_calls
from jenkinsapi_jobs import ASKS, FREE, GIT, LATER, TESTED
from recording import Recording, until

record = Recording("jenkinsapi", "jenkinsapi.command_line", "jenkinsapi.utils")
from jenkinsapi.credential import SecretTextCredential, UsernamePasswordCredential  # noqa: E402
from jenkinsapi.jenkins import Jenkins  # noqa: E402 (it is watched from its first use)
from jenkinsapi.utils.crumb_requester import CrumbRequester  # noqa: E402

URL, USER, PASSWORD = sys.argv[1:4]
NAME = "client-ja"
requester = CrumbRequester(username=USER, password=PASSWORD, baseurl=URL)
server = Jenkins(URL, username=USER, password=PASSWORD, requester=requester, timeout=120)


def clear() -> None:
    """Remove what an earlier play left."""
    for name in (NAME, *(f"{NAME}-{part}" for part in ("2", "later", "tested", "git", "asks"))):
        if server.has_job(name):
            server.delete_job(name)
    if NAME in server.views:
        del server.views[NAME]
    for name in (NAME, f"{NAME}-2"):
        if server.has_node(name):
            server.delete_node(name)


clear()
with record.step("the server"):
    assert server.version
    assert server.get_master_data()
    assert server.base_server_url() == URL
    assert server.get_jenkins_obj() is server
    assert server.has_plugin("git")
    assert server.get_plugins().keys()
    assert "git" in server.plugins.get_plugins_dict()
    assert "5" in server.run_groovy_script("println 2 + 3")
    assert not server.is_quieting_down
    server.quiet_down()
    server.cancel_quiet_down()
    token = server.generate_new_api_token(NAME)
    assert token
with record.step("jobs"):
    job = server.create_job(NAME, FREE)
    assert server.has_job(NAME) and NAME in list(server.keys())
    assert server.get_job(NAME).name == NAME
    assert server.get_job_by_url(job.baseurl, NAME).name == NAME
    assert NAME in server.get_jobs_list()
    assert list(server.get_jobs()) and list(server.get_jobs_info())
    server.copy_job(NAME, f"{NAME}-3")
    server.rename_job(f"{NAME}-3", f"{NAME}-2")
    assert job.get_params_list() == ["P"] and job.has_params()
    assert "begun" in job.get_config() and job.load_config() is None
    job.update_config(FREE)
    job.disable()
    assert not job.is_enabled()
    job.enable()
    assert job.is_enabled()
    assert job.get_full_name() == NAME
    assert not job.is_queued_or_running() and not job.is_queued() and not job.is_running()
    assert job.get_next_build_number() == 1
    assert job.get_last_build_or_none() is None
    job.set_concurrent_builds(True)
    job.change_description("d")
    assert server.get_job(NAME).get_description() == "d"
    assert job.get_downstream_jobs() == [] and job.get_upstream_jobs() == []
with record.step("a build"):
    item = server.get_job(NAME).invoke(build_params={"P": "w"})
    build = item.block_until_complete(delay=1)
    build = item.get_build()
    assert build.is_good() and build.get_status() == "SUCCESS" and not build.is_running()
    assert (build.get_number(), item.get_build_number(), item.get_job_name()) == (1, 1, NAME)
    assert build.get_params() == {"P": "w"} and item.get_parameters() == {"P": "w"}
    assert "begun" in build.get_console()
    assert build.get_build_url() and build.get_duration() and build.get_timestamp() and build.get_estimated_duration()
    assert build.get_causes() and build.get_actions()
    assert build.get_changeset_items() == []
    assert not build.has_resultset()
    build.set_description("d")
    build.toggle_keep()
    assert build.is_kept_forever()
    build.toggle_keep()
    assert build.get_artifact_dict()["t.txt"].get_data() == b"x\n"
    assert list(build.get_artifacts())
    job = server.get_job(NAME)
    assert job.get_build_dict() and list(job.get_build_ids()) == [1]
    assert [job.get_first_buildnumber(), job.get_last_buildnumber(), job.get_last_completed_buildnumber()] == [1, 1, 1]
    assert [job.get_last_good_buildnumber(), job.get_last_stable_buildnumber()] == [1, 1]
    assert job.get_last_build().get_number() == job.get_build(1).get_number() == job.get_first_build().get_number() == 1
    assert job.get_last_good_build().get_number() == job.get_last_completed_build().get_number() == 1
    job.toggle_keep_build(1)
    job.toggle_keep_build(1)
    job.wipe_out_workspace()
    job.delete_build(1)
with record.step("the queue"):
    server.create_job(f"{NAME}-later", LATER)
    item = server.get_job(f"{NAME}-later").invoke()
    until(lambda: server.get_job(f"{NAME}-later").is_queued())
    queue = server.get_queue()
    assert list(queue.keys())
    assert list(queue.get_queue_items_for_job(f"{NAME}-later"))
    assert item.is_queued() and not item.is_running()
    queue.delete_item(item)
with record.refused("the items of the queue, of which the client does not know the field _class", "TypeError"):
    server.get_job(f"{NAME}-later").invoke()
    until(lambda: server.get_job(f"{NAME}-later").is_queued())
    server.get_queue().values()
with record.step("views"):
    view = server.views.create(NAME)
    view.add_job(NAME)
    assert NAME in view.get_job_dict() and view.keys()
    assert "ListView" in view.get_config()
    view.remove_job(NAME)
    assert NAME in list(server.views.keys())
    del server.views[NAME]
with record.step("nodes"):
    node = server.create_node(
        NAME, num_executors=1, node_description="d", remote_fs="/tmp/client-ja", labels="l", exclusive=True
    )
    assert server.has_node(NAME) and NAME in list(server.nodes.keys())
    assert server.get_node(NAME).name == NAME
    assert not node.is_online() and node.is_idle()
    node.toggle_temporarily_offline("because")
    assert node.is_temporarily_offline()
    node.toggle_temporarily_offline()
    assert "client-ja" in node.get_config()
    assert node.get_labels() == "l"
    assert int(node.get_num_executors()) == 1
    server.delete_node(NAME)
with record.step("credentials"):
    credentials = server.credentials
    held = {"description": "client-ja", "userName": "u", "password": "p", "credential_id": NAME}
    credentials["client-ja"] = UsernamePasswordCredential(held)
    assert "client-ja" in credentials
    del credentials["client-ja"]
    credentials["client-ja"] = SecretTextCredential({"description": "client-ja", "secret": "s", "credential_id": NAME})
    assert "client-ja" in list(credentials.keys())
    del credentials["client-ja"]
server.create_job(NAME, FREE) if not server.has_job(NAME) else None
server.get_job(NAME).invoke(build_params={"P": "w"}).block_until_complete(delay=1)
job = server.get_job(NAME)
build = job.get_last_build()
node = server.create_node(NAME, num_executors=1, node_description="d", remote_fs="/tmp/client-ja", labels="l")
for call, run in list_calls(server, job, build, node, tempfile.mkdtemp()).items():
    with record.step(call):
        run()
with record.step("tests of a build"):
    server.create_job(f"{NAME}-tested", TESTED)
    server.get_job(f"{NAME}-tested").invoke(build_params={"P": "w"}).block_until_complete(delay=1)
    results = server.get_job(f"{NAME}-tested").get_last_build().get_resultset()
    assert results.keys() == ["c.n"] and dict(results.items())["c.n"].identifier() == "c.n"
    assert [name for name, _ in results.iteritems()] == ["c.n"] and results.get_jenkins_obj() is server
with record.step("what a build without a repository and a master says"):
    assert build.get_revision() is None and build.get_stages() == [] and build.get_pending_input_actions() == []
    assert build.get_master_job_name() == "w"
for call, kind, run in (
    ("the job that a parameter names", "UnknownJob", build.get_master_job),
    ("the build of the job that a parameter names", "UnknownJob", build.get_master_build),
    ("the number in a second parameter", "IndexError", build.get_master_build_number),
    ("the branch of a build without a repository", "IndexError", build.get_revision_branch),
    ("the repository of a build without one", "IndexError", build.get_repo_url),
    ("the last failed build of a job without one", "NoBuildData", job.get_last_failed_buildnumber),
    ("the artifact of an unknown fingerprint", "HTTPError", lambda: server.get_artifact_data("0" * 32)),
    ("the start of an agent that connects by itself", "AssertionError", node.launch),
    ("an agent that is not connected and nobody marked", "AssertionError", node.set_online),
    # Jenkins takes a crumb of this session only, and the client sends none.
    ("a sign-in by form without a crumb", "HTTPError", server.use_auth_cookie),
):
    with record.refused(call, kind):
        run()


def ask(verb: str) -> str:
    """Build a Pipeline that asks, answer it, and wait for its end; its result."""
    server.get_job(f"{NAME}-asks").invoke()
    asking = until(lambda: server.get_job(f"{NAME}-asks").get_last_build_or_none())
    (question,) = until(asking.get_pending_input_actions)
    getattr(asking, verb)(question["id"])
    until(lambda: not server.get_job(f"{NAME}-asks").get_last_build().is_running())
    result = server.get_job(f"{NAME}-asks").get_last_build().get_status()
    server.get_job(f"{NAME}-asks").delete_build(asking.get_number())
    return result


with record.step("questions of a Pipeline"):
    server.create_job(f"{NAME}-asks", ASKS)
    assert ask("proceed_input") == "SUCCESS"
    assert ask("abort_input") == "ABORTED"
with record.step("an executor"):
    (executor, *_) = server.get_executors("(built-in)")
    assert executor.get_number() == 0 and executor.get_progress() == -1
    assert executor.get_current_executable() is None and not executor.likely_stuck()
with record.step("fingerprints that nobody knows"):
    server.validate_fingerprint("0" * 32)
    assert server.validate_fingerprint_for_build("0" * 32, "t.txt", NAME, 1)
with record.step("a token, a view and the settings of the server"):
    server.revoke_api_token("00000000-0000-0000-0000-000000000000")
    view = server.views.create(NAME)
    view.update_config(view.get_config().replace("<filterQueue>false", "<filterQueue>true"))
    assert "<filterQueue>true" in server.views[NAME].get_config()
    server.delete_view_by_url(f"{URL}/view/{NAME}")
    server.reload()
with record.step("a node by its settings"):
    kind = "hudson.slaves.DumbSlave$DescriptorImpl"
    settings = {
        "name": f"{NAME}-2",
        "numExecutors": "1",
        "remoteFS": "/tmp/client-ja",
        "labelString": "m",
        "mode": "NORMAL",
        "type": kind,
        "retentionStrategy": {"stapler-class": "hudson.slaves.RetentionStrategy$Always"},
        "nodeProperties": {"stapler-class-bag": "true"},
        "launcher": {"stapler-class": "hudson.slaves.JNLPLauncher"},
    }
    config = {"name": f"{NAME}-2", "type": kind, "json": json.dumps(settings)}
    assert server.create_node_with_config(f"{NAME}-2", config).name == f"{NAME}-2"
with record.step("the queue of a job"):
    server.jobs.build(f"{NAME}-later")
    until(lambda: server.get_job(f"{NAME}-later").is_queued())
    later = server.get_job(f"{NAME}-later")
    assert later.get_queue_item().is_queued()
    assert [each.name for each in server.get_label("nowhere").get_tied_jobs()] == [f"{NAME}-later"]
    assert server.get_label("built-in").is_online()
with record.refused(
    "the end of a queued build, which Jenkins answers with 204 and the client does not take", "JenkinsAPIException"
):
    later.delete_from_queue()
with record.step("the repository of a job"):
    held = server.create_job(f"{NAME}-git", GIT)
    assert (held.get_scm_url(), held.get_scm_branch()) == (["file:///nowhere"], ["*/main"])
    held.modify_scm_url("file:///elsewhere")
    held.modify_scm_branch("*/other")
    held = server.get_job(f"{NAME}-git")
    assert (held.get_scm_url(), held.get_scm_branch()) == (["file:///elsewhere"], ["*/other"])
    assert held.get_revision_dict() == {} and held.get_buildnumber_for_revision("abc") == []
    held.trigger_scm_poll()
    assert held.recreate().name == f"{NAME}-git"
with record.step("what is measured of a node"):
    here = server.get_node("Built-In Node")
    assert here.get_architecture().startswith("Linux")
    assert here.get_monitor("ArchitectureMonitor") == here.get_architecture()
    here.block_until_idle(120, 1)
    node.set_offline("it is offline, so this changes nothing")
    node.toggle_temporarily_offline("because")
    node.update_offline_reason("of another reason")
    assert node.poll()["offlineCauseReason"] == "of another reason"
    node.toggle_temporarily_offline()
# With the tree `monitorData` Jenkins shows the objects of the map without their fields.
for measure in (
    *("get_available_physical_memory", "get_available_swap_space", "get_clock_difference", "get_response_time"),
    *("get_temp_path", "get_temp_size", "get_total_physical_memory", "get_total_swap_space", "get_workspace_path"),
    "get_workspace_size",
):
    with record.refused(measure, "KeyError"):
        getattr(here, measure)()
with record.refused("one field of what is measured", "KeyError"):
    here.get_monitor_data("ClockMonitor", "diff")
with record.refused("the SCM of a job that has none", "NotConfiguredSCM"):
    job.get_scm_type()
with record.refused("a fault of the client itself", "AttributeError"):
    server.get_node_url(NAME)
with record.step("the end"):
    clear()
record.print()
