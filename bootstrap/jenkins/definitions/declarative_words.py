"""The words of declarative Pipelines: sections, options, triggers, conditions, and the common steps."""

from __future__ import annotations

SECTIONS = ("agent", "environment", "libraries", "options", "parameters", "post", "stages", "tools", "triggers")
STAGE_SECTIONS = (
    *("agent", "environment", "failFast", "input", "matrix", "options", "parallel", "post", "stages", "steps", "tools"),
    "when",
)
BODIES = ("steps", "stages", "parallel", "matrix")
CONDITIONS = (
    *("aborted", "always", "changed", "cleanup", "failure", "fixed", "notBuilt", "regression", "success", "unstable"),
    "unsuccessful",
)
AGENTS = ("any", "docker", "dockerfile", "kubernetes", "label", "node", "none")
OPTIONS = (
    *("ansiColor", "buildDiscarder", "checkoutToSubdirectory", "disableConcurrentBuilds", "disableRestartFromStage"),
    *("disableResume", "durabilityHint", "lock", "newContainerPerStage", "overrideIndexTriggers"),
    *("parallelsAlwaysFailFast", "preserveStashes", "quietPeriod", "rateLimitBuilds", "retry", "skipDefaultCheckout"),
    *("skipStagesAfterUnstable", "timeout", "timestamps"),
)
PARAMETERS = ("booleanParam", "choice", "credentials", "file", "password", "run", "string", "text")
TRIGGERS = ("cron", "githubPush", "pollSCM", "upstream")
WHEN = (
    *("allOf", "anyOf", "beforeAgent", "beforeInput", "beforeOptions", "branch", "buildingTag", "changelog"),
    *(
        "changeRequest",
        "changeset",
        "environment",
        "equals",
        "expression",
        "isRestartedRun",
        "not",
        "tag",
        "triggeredBy",
    ),
)
STEPS = (
    *("ansiColor", "archiveArtifacts", "bat", "build", "catchError", "checkout", "cleanWs", "deleteDir", "dir", "echo"),
    *(
        "emailext",
        "error",
        "fileExists",
        "git",
        "input",
        "isUnix",
        "junit",
        "library",
        "libraryResource",
        "load",
        "lock",
    ),
    *("mail", "milestone", "node", "parallel", "powershell", "publishHTML", "pwd", "pwsh", "readFile", "readJSON"),
    *("readProperties", "readTrusted", "readYaml", "retry", "script", "sh", "sleep", "sshagent", "stash", "step"),
    *(
        "timeout",
        "timestamps",
        "tool",
        "unstable",
        "unstash",
        "validateDeclarativePipeline",
        "waitUntil",
        "warnError",
        "withCredentials",
        "withEnv",
    ),
    *(
        "wrap",
        "writeFile",
        "writeJSON",
        "writeYaml",
        "ws",
        "zip",
        "unzip",
        "findFiles",
        "tee",
        "dockerNode",
        "properties",
    ),
)
