"""The asynchronous half of api4jenkins, played as the other half in `play_api4jenkins.py`, which runs it."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable

from api4jenkins import AsyncJenkins
from api4jenkins.artifact import AsyncArtifact
from api4jenkins.input import AsyncPendingInputAction
from recording import Recording

NAME = "client-a4j-async"
FREE = """<project><properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.StringParameterDefinition><name>P</name><defaultValue>v</defaultValue></hudson.model.StringParameterDefinition>
</parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>
<builders><hudson.tasks.Shell><command>echo begun; sleep 600</command></hudson.tasks.Shell></builders></project>"""
LATER = "<project><assignedNode>nowhere</assignedNode><canRoam>false</canRoam></project>"


async def until(what: Callable[[], Awaitable[object]], seconds: float = 120) -> object:
    """Ask until the answer is true."""
    for _ in range(int(seconds * 10)):
        if value := await what():
            return value
        await asyncio.sleep(0.1)
    raise TimeoutError("it did not happen in time")


async def collect(listed: object) -> list:
    """All entries of an asynchronous iterator."""
    return [entry async for entry in listed]


class Play:
    """Plays on one server; `pipeline` is the XML of a Pipeline that has tests and an artifact and then asks."""

    def __init__(
        self, record: Recording, server: AsyncJenkins, pipeline: str, secret: str, domain: str, view: str
    ) -> None:
        self.record, self.server, self.pipeline = record, server, pipeline
        self.secret, self.domain, self.view = (text.replace("client-a4j", NAME) for text in (secret, domain, view))

    async def run(self) -> None:
        """Play everything."""
        await self.clear()
        for part in (self.play_server, self.play_jobs, self.play_credentials, self.play_builds, self.play_questions):
            await part()
        for part in (self.play_queue, self.play_views, self.play_nodes, self.play_users):
            await part()
        with self.record.step("the end, asynchronously"):
            await self.clear()

    async def clear(self) -> None:
        """Remove what an earlier play left."""
        for name in (NAME, f"{NAME}-2", f"{NAME}-folder", f"{NAME}-later"):
            await self.server.delete_job(name)
        for held in (self.server.views, self.server.nodes, await self.server.credentials.get("_")):
            if thing := await held.get(NAME):
                await thing.delete()

    async def play_server(self) -> None:
        """The server and its settings."""
        with self.record.step("the server, asynchronously"):
            assert await self.server.version and await self.server.exists() and await self.server.crumb
            assert (await self.server.api_json())["mode"] == "NORMAL"
            assert await self.server.is_name_safe("a") and not await self.server.is_name_safe("a?b")
            script = "pipeline { agent any\n stages { stage('a') { steps { echo 'x' } } } }"
            assert "success" in await self.server.validate_jenkinsfile(script)
            assert "5" in await self.server.system.run_script("println 2 + 3")
            await self.server.system.reload_jcasc()
            assert "jenkins:" in await self.server.system.export_jcasc()

    async def play_jobs(self) -> None:
        """Jobs and folders."""
        server = self.server
        with self.record.step("jobs, asynchronously"):
            await server.create_job(f"{NAME}-folder/inner", FREE, recursive=True)
            await server.create_job(NAME, FREE)
            await server.copy_job(NAME, f"{NAME}-2")
            await server.rename_job(f"{NAME}-2", f"{NAME}-3")
            await server.move_job(f"{NAME}-3", f"{NAME}-folder")
            await server.duplicate_job(NAME, f"{NAME}-2")
            job = await server.get_job(NAME)
            assert "begun" in await job.configure()
            await job.configure(FREE)
            await job.disable()
            await job.enable()
            await job.set_description("d")
            assert [each["name"] for each in await job.get_parameters()] == ["P"]
            assert NAME in [each.name for each in await collect(server.aiter())]
            folder = await server.get_job(f"{NAME}-folder")
            assert {each.name for each in await collect(folder.aiter())} == {"inner", f"{NAME}-3"}
            await folder.copy("inner", "copied")
            assert (await (await folder.get("copied")).parent).name == f"{NAME}-folder"
            await folder.create("made", FREE)
            await (await folder.get("made")).rename("named")
            await folder.reload()
        with self.record.refused("a job that exists, asynchronously", "BadRequestError"):
            await server.create_job(NAME, FREE)
        with self.record.refused("the plugin next-build-number, asynchronously", "ItemNotFoundError"):
            await (await server.get_job(NAME)).set_next_build_number(9)

    async def play_credentials(self) -> None:
        """Credentials and domains."""
        with self.record.step("credentials, asynchronously"):
            store = (await self.server.get_job(f"{NAME}-folder")).credentials
            held = await store.get("_")
            await held.create(self.secret)
            assert "secret-redacted" in await (await held.get(NAME)).configure()
            assert [await each.id for each in await collect(held.aiter())] == [NAME]
            await self.server.credentials.create(self.domain)
            assert await collect(self.server.credentials.aiter())
            await (await self.server.credentials.get(NAME)).delete()

    async def play_builds(self) -> None:
        """A build that is stopped."""
        with self.record.step("a build that is stopped, asynchronously"):
            item = await self.server.build_job(NAME, P="w")
            build = await until(item.get_build)
            assert (await item.get_job()).name == NAME
            await until(lambda: self._says(build, "begun"))
            assert [each.name for each in await build.get_parameters()] == ["P"] and await build.get_causes()
            assert (await build.project).name == NAME
            await build.stop()
            await until(lambda: self._has_ended(build))
            assert await build.result == "ABORTED"
            assert any("begun" in str(line) for line in await collect(build.progressive_output()))
            await build.set_description("d")
            job = await self.server.get_job(NAME)
            numbers = [await each.number for each in await collect(job.aiter())]
            assert numbers == [await each.number for each in await collect(job.iter_all_builds())] == [1]
            assert await (await job.get(1)).number == 1
            assert len(await collect(job.filter_builds_by_result(result="ABORTED"))) == 1
            await build.delete()
        with self.record.refused("the next build of a freestyle build, asynchronously", "KeyError"):
            build = await until((await self.server.build_job(NAME, P="w")).get_build)
            await build.term()
            await build.kill()
            await build.stop()
            await build.get_next_build()

    @staticmethod
    async def _says(build: object, words: str) -> bool:
        return words in "".join([str(line) for line in await collect(build.console_text())])

    @staticmethod
    async def _has_ended(build: object) -> bool:
        return not (await build.api_json())["inProgress"]

    async def play_questions(self) -> None:
        """A Pipeline that asks."""
        with self.record.step("a Pipeline with a question, asynchronously"):
            await self.server.create_job(f"{NAME}-later", self.pipeline)
            run = await until((await self.server.build_job(f"{NAME}-later")).get_build)
            question = await self.find_question(run)
            assert (await question.api_json())["id"]
            await question.submit()
            await until(lambda: self._has_ended(run))
            assert await run.result == "SUCCESS"
            assert await (await run.get_test_report()).get("none of this name") is None
            (artifact,) = await run.artifacts
            with tempfile.TemporaryDirectory() as folder:
                await run.save_artifacts(f"{folder}/all.zip")
            assert await run.get_next_build() is None and await run.get_previous_build() is None
            assert await run.get_coverage_report() is None and await run.get_coverage_result() is None
            assert await run.get_coverage_trends() is None
            run = await until((await self.server.build_job(f"{NAME}-later")).get_build)
            await (await self.find_question(run)).abort()
            await until(lambda: self._has_ended(run))
            assert await run.result == "ABORTED"
        with self.record.refused("an artifact, which the client writes as if it were not asynchronous", "RuntimeError"):
            await AsyncArtifact(self.server, artifact.raw).save("/dev/null")

    async def find_question(self, run: object) -> AsyncPendingInputAction:
        """The question of a run. The client finds it as one of its other half, which cannot be answered here."""
        return AsyncPendingInputAction(self.server, (await until(run.get_pending_input)).raw)

    async def play_queue(self) -> None:
        """The queue."""
        with self.record.step("the queue, asynchronously"):
            await (await self.server.get_job(f"{NAME}-2")).configure(LATER)
            item = await self.server.build_job(f"{NAME}-2")
            assert (await self.server.queue.get(item.id)).id == item.id
            await self.server.queue.cancel(item.id)
            item = await self.server.build_job(f"{NAME}-2")
            await item.cancel()

    async def play_views(self) -> None:
        """Views."""
        with self.record.step("views, asynchronously"):
            await self.server.views.create(NAME, self.view)
            view = await self.server.views.get(NAME)
            await view.include(NAME)
            assert (await view.get(NAME)).name == NAME
            await view.exclude(NAME)
            await view.delete()

    async def play_nodes(self) -> None:
        """Nodes."""
        nodes = self.server.nodes
        with self.record.step("nodes, asynchronously"):
            await nodes.create(NAME, remoteFS="/tmp/client-a4j")
            node = await nodes.get(NAME)
            await node.disable("because")
            await node.enable()
            await node.configure(await node.configure())
            assert await collect(nodes.aiter()) and await collect(nodes.filter_node_by_status(online=True))
            await collect(nodes.filter_node_by_label("l"))
            for listed in (nodes.iter_builds(), node.iter_builds(), nodes.iter_building_builds()):
                await collect(listed)
            await node.delete()

    async def play_users(self) -> None:
        """Users and plugins."""
        with self.record.step("users and plugins, asynchronously"):
            token = await self.server.user.generate_token(NAME)
            await self.server.user.revoke_token(token.uuid)
            assert await (await self.server.plugins.get("git")).short_name == "git"
        with self.record.refused("the list of users, asynchronously", "ItemNotFoundError"):
            await self.server.users.get("admin")


async def play(record: Recording, url: str, login: tuple[str, str], *parts: str) -> None:
    """Play on a server."""
    server = AsyncJenkins(url, auth=login, timeout=120)
    try:
        await Play(record, server, *parts).run()
    finally:
        await server.http_client.aclose()
