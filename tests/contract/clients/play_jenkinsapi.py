"""Calls public methods of jenkinsapi: `play_jenkinsapi.py URL USER PASSWORD`."""

import sys
import tempfile

from recording import Recording, until

record = Recording("jenkinsapi", "jenkinsapi.command_line", "jenkinsapi.utils")
from jenkinsapi.credential import SecretTextCredential, UsernamePasswordCredential  # noqa: E402
from jenkinsapi.jenkins import Jenkins  # noqa: E402 (it is watched from its first use)
from jenkinsapi.utils.crumb_requester import CrumbRequester  # noqa: E402

URL, USER, PASSWORD = sys.argv[1:4]
NAME = "client-ja"
requester = CrumbRequester(username=USER, password=PASSWORD, baseurl=URL)
server = Jenkins(URL, username=USER, password=PASSWORD, requester=requester, timeout=120)
FREE = """<project><properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.StringParameterDefinition><name>P</name><defaultValue>v</defaultValue></hudson.model.StringParameterDefinition>
</parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties><builders><hudson.tasks.Shell>
<command>echo begun; echo x &gt; t.txt</command></hudson.tasks.Shell></builders>
<publishers><hudson.tasks.ArtifactArchiver><artifacts>t.txt</artifacts><fingerprint>true</fingerprint></hudson.tasks.ArtifactArchiver>
</publishers></project>"""
LATER = "<project><assignedNode>nowhere</assignedNode><canRoam>false</canRoam></project>"


def clear() -> None:
    """Remove what an earlier play left."""
    for name in (NAME, f"{NAME}-2", f"{NAME}-later"):
        if server.has_job(name):
            server.delete_job(name)
    if NAME in server.views:
        del server.views[NAME]
    if server.has_node(NAME):
        server.delete_node(NAME)


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
FOLDER = tempfile.mkdtemp()
MORE = {
    "Build.get_description": build.get_description,
    "Build.get_downstream_job_names": build.get_downstream_job_names,
    "Build.get_downstream_jobs": build.get_downstream_jobs,
    "Build.get_downstream_builds": build.get_downstream_builds,
    "Build.get_upstream_job_name": build.get_upstream_job_name,
    "Build.get_upstream_job": build.get_upstream_job,
    "Build.get_upstream_build_number": build.get_upstream_build_number,
    "Build.get_upstream_build": build.get_upstream_build,
    "Build.get_matrix_runs": lambda: list(build.get_matrix_runs()),
    "Build.get_result_url": build.get_result_url,
    "Build.get_slave": build.get_slave,
    "Build.block": build.block,
    "Build.stop": build.stop,
    "Build.stream_logs": lambda: list(build.stream_logs()),
    "Fingerprint.validate": lambda: build.get_artifact_dict()["t.txt"].save_to_dir(FOLDER),
    "Jenkins.items": server.items,
    "Jenkins.iteritems": lambda: list(server.iteritems()),
    "Jenkins.iterkeys": lambda: list(server.iterkeys()),
    "Jenkins.build_job": lambda: server.build_job(NAME, {"P": "w"}),
    "Jenkins.get_jobs_by_status": lambda: server.get_jobs_by_status("SUCCESS"),
    "Jenkins.get_label": lambda: server.get_label("built-in").get_tied_job_names(),
    "Jenkins.get_nodes_url": server.get_nodes_url,
    "Jenkins.get_view_by_url": lambda: server.get_view_by_url(f"{URL}/view/all").items(),
    "Jenkins.get_executors": lambda: [each.is_idle() for each in server.get_executors("(built-in)")],
    "Job.block_build_when_downstream_building": job.block_build_when_downstream_building,
    "Job.unblock_build_when_downstream_building": job.unblock_build_when_downstream_building,
    "Job.block_build_when_upstream_building": job.block_build_when_upstream_building,
    "Job.unblock_build_when_upstream_building": job.unblock_build_when_upstream_building,
    "Job.restrict_to_node": lambda: job.restrict_to_node("built-in"),
    "Job.get_build_metadata": lambda: job.get_build_metadata(build.get_number()),
    "Job.get_build_by_params": lambda: job.get_build_by_params({"P": "w"}),
    "Job.get_downstream_job_names": job.get_downstream_job_names,
    "Job.get_upstream_job_names": job.get_upstream_job_names,
    "Job.get_last_stable_build": job.get_last_stable_build,
    "Job.has_queued_build": lambda: job.has_queued_build({}),
    "Nodes.values": lambda: list(server.nodes.values()),
    "Nodes.itervalues": lambda: list(server.nodes.itervalues()),
    "Nodes.items": lambda: list(server.nodes.items()),
    "Nodes.iteritems": lambda: list(server.nodes.iteritems()),
    "Node.is_jnlpagent": node.is_jnlpagent,
    "Node.add_labels": lambda: node.add_labels("m"),
    "Node.modify_labels": lambda: node.modify_labels("n"),
    "Node.delete_labels": lambda: node.delete_labels("n"),
    "Node.set_num_executors": lambda: node.set_num_executors(2),
    "Node.set_config_element": lambda: node.set_config_element("label", "o"),
    "Node.change_mode": lambda: node.change_mode("EXCLUSIVE"),
    "Node.offline_reason": node.offline_reason,
    "Plugins.values": lambda: list(server.plugins.values()),
    "Plugins.iteritems": lambda: list(server.plugins.iteritems()),
    "Plugin.get_attributes": server.plugins["git"].get_attributes,
    "Views.iteritems": lambda: list(server.views.iteritems()),
    "View.values": server.views["all"].values,
    "View.get_job_url": lambda: server.views["all"].get_job_url(NAME),
    "View.get_nested_view_dict": server.views["all"].get_nested_view_dict,
    "Credentials.iteritems": lambda: list(server.credentials.iteritems()),
    "CredentialsById.iteritems": lambda: list(server.credentials_by_id.iteritems()),
}
for call, run in MORE.items():
    with record.step(call):
        run()
with record.refused("the SCM of a job that has none", "NotConfiguredSCM"):
    job.get_scm_type()
with record.refused("a fault of the client itself", "AttributeError"):
    server.get_node_url(NAME)
with record.step("the end"):
    clear()
record.print()
