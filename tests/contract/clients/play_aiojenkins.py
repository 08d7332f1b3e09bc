"""Calls the public methods of aiojenkins: `play_aiojenkins.py URL USER PASSWORD`."""

import asyncio
import sys

from recording import Recording

record = Recording("aiojenkins")
import aiojenkins  # noqa: E402 (it is watched from its first use)

URL, USER, PASSWORD = sys.argv[1:4]
# The client keeps no cookie of an address, so its crumbs would belong to no session.
URL = URL.replace("127.0.0.1", "localhost")
NAME = "client-aio"
VIEW = "<hudson.model.ListView><name>client-aio</name></hudson.model.ListView>"
# With two slashes in the path of its requests, Jenkins' redirect leads the client to a host of that name.
ASTRAY = ("ClientConnectorError", "ClientConnectorDNSError", "JenkinsError")


async def until(what: object, seconds: float = 120) -> object:
    """Ask until the answer is true."""
    for _ in range(int(seconds * 10)):
        if value := await what():
            return value
        await asyncio.sleep(0.1)
    raise TimeoutError("it did not happen in time")


async def clear(jenkins: aiojenkins.Jenkins) -> None:
    """Remove what an earlier play left."""
    for name in (NAME, f"{NAME}-copy", f"{NAME}-renamed", f"{NAME}-later"):
        if await jenkins.jobs.is_exists(name):
            await jenkins.jobs.delete(name)
    if await jenkins.nodes.is_exists(NAME):
        await jenkins.nodes.delete(NAME)
    if await jenkins.views.is_exists(NAME):
        await jenkins.views.delete(NAME)


async def play_builds(jenkins: aiojenkins.Jenkins) -> None:
    with record.step("a build"):
        queued = await jenkins.builds.start(NAME, {"P": "v"})
        await until(lambda: _has_started(jenkins, queued))
        assert (await jenkins.builds.get_queue_id_info(queued))["id"] == queued
        assert await jenkins.builds.is_exists(NAME, 1)
        assert [build["number"] for build in await jenkins.builds.get_all(NAME)] == [1]
        url = (await jenkins.builds.get_info(NAME, 1))["url"]
        assert (await jenkins.builds.get_url_info(url))["number"] == 1
        assert aiojenkins.Jenkins(URL).builds.parse_url(url) == (NAME, 1)
        await until(lambda: _has_said(jenkins, "begun v"))
    with record.refused("a stop, whose redirect leads astray", *ASTRAY):
        await jenkins.builds.stop(NAME, 1)
    with record.step("the end of the build"):
        await until(lambda: _has_ended(jenkins))
        await jenkins.builds.delete(NAME, 1)


async def _has_started(jenkins: aiojenkins.Jenkins, queued: int) -> bool:
    return "executable" in await jenkins.builds.get_queue_id_info(queued)


async def _has_said(jenkins: aiojenkins.Jenkins, words: str) -> bool:
    return words in await jenkins.builds.get_output(NAME, 1)


async def _has_ended(jenkins: aiojenkins.Jenkins) -> bool:
    return not (await jenkins.builds.get_info(NAME, 1))["inProgress"]


async def play_jobs(jenkins: aiojenkins.Jenkins) -> None:
    with record.step("jobs"):
        parameters = [{"name": "P"}]
        commands = ["echo begun $P", "sleep 600"]
        config = jenkins.jobs.construct_config(description="d", parameters=parameters, commands=commands)
        await jenkins.jobs.create(NAME, config)
        assert NAME in await jenkins.jobs.get_all()
        assert (await jenkins.jobs.get_info(NAME))["description"] == "d"
        assert "begun" in await jenkins.jobs.get_config(NAME)
        await jenkins.jobs.reconfigure(NAME, config)
        await jenkins.jobs.copy(NAME, f"{NAME}-copy")
    for verb in ("disable", "enable"):
        with record.refused(f"{verb}, whose redirect leads astray", *ASTRAY):
            await getattr(jenkins.jobs, verb)(f"{NAME}-copy")
    with record.refused("rename, whose redirect leads astray", *ASTRAY):
        await jenkins.jobs.rename(f"{NAME}-copy", f"{NAME}-renamed")
    with record.step("the renamed job"):
        assert await jenkins.jobs.is_exists(f"{NAME}-renamed")
    with record.step("the queue"):
        later = "<project><assignedNode>nowhere</assignedNode><canRoam>false</canRoam></project>"
        await jenkins.jobs.create(f"{NAME}-later", later)
        queued = await jenkins.builds.start(f"{NAME}-later")
        assert queued in await jenkins.queue.get_all()
        assert (await jenkins.queue.get_info(queued))["id"] == queued
        await jenkins.queue.cancel(queued)


async def play_nodes(jenkins: aiojenkins.Jenkins) -> None:
    with record.step("nodes"):
        await jenkins.nodes.create(NAME, jenkins.nodes.construct(name=NAME, remote_fs="/tmp/client-aio"))
        assert NAME in await jenkins.nodes.get_all()
        assert (await jenkins.nodes.get_info(NAME))["displayName"] == NAME
        config = await jenkins.nodes.get_config(NAME)
        await jenkins.nodes.reconfigure(NAME, config)
        await jenkins.nodes.disable(NAME, "because")
        await jenkins.nodes.update_offline_reason(NAME, "otherwise")
        assert (await jenkins.nodes.get_info(NAME))["offlineCauseReason"] == "otherwise"
        await jenkins.nodes.enable(NAME)


async def play_server(jenkins: aiojenkins.Jenkins) -> None:
    with record.step("the server"):
        assert (await jenkins.get_status())["mode"] == "NORMAL"
        assert (await jenkins.get_version()).major == 2
        assert await jenkins.is_ready()
        await jenkins.wait_until_ready()
        assert "5" in await jenkins.run_groovy_script("println 2 + 3")
        await jenkins.quiet_down()
        await jenkins.cancel_quiet_down()
        _, identifier = await jenkins.generate_token(NAME)
        await jenkins.revoke_token(identifier)
        assert "git" in await jenkins.plugins.get_all()
    with record.step("views"):
        await jenkins.views.create(NAME, VIEW)
        assert NAME in await jenkins.views.get_all()
        await jenkins.views.reconfigure(NAME, await jenkins.views.get_config(NAME))


async def main() -> None:
    async with aiojenkins.Jenkins(URL, USER, PASSWORD) as jenkins:
        await clear(jenkins)
        await play_server(jenkins)
        await play_jobs(jenkins)
        await play_builds(jenkins)
        await play_nodes(jenkins)
        with record.step("the end"):
            await clear(jenkins)
    await jenkins.close()
    record.print()


asyncio.run(main())
