/** Runs a declarative pipeline, which was checked before: first it reads all of it, then it runs it. */
class Declarative extends SectionRunner {
    static final List<String> OPTIONS = ['ansiColor', 'buildDiscarder', 'catchError', 'checkoutToSubdirectory', 'disableConcurrentBuilds',
        'disableRestartFromStage', 'disableResume', 'durabilityHint', 'lock', 'newContainerPerStage', 'overrideIndexTriggers',
        'parallelsAlwaysFailFast', 'preserveStashes', 'quietPeriod', 'rateLimitBuilds', 'retry', 'script', 'skipDefaultCheckout',
        'skipStagesAfterUnstable', 'timeout', 'timestamps', 'warnError', 'withCredentials', 'withEnv', 'ws']
    static final List<String> PARAMETERS = ['booleanParam', 'choice', 'password', 'string', 'text']
    static final List<String> TRIGGERS = ['cron', 'pollSCM', 'upstream']
    /** In this order they are judged and run. */
    static final List<String> CONDITIONS = ['always', 'changed', 'fixed', 'regression', 'aborted', 'success', 'unsuccessful', 'unstable', 'failure',
        'notBuilt', 'cleanup']
    private static final String NO_NODE = ['Attempted to execute a step that requires a node context while \u2018agent none\u2019 was specified.',
        'Be sure to specify your own \u2018node { ... }\u2019 blocks when using \u2018agent none\u2019.'].join(' ')
    static boolean isCheck
    private static boolean hasRun

    Declarative(PipelineScript script) { super(script) }

    static String invalidAgent(String name) { "Invalid agent type \"${name}\" specified. Must be one of [any, label, none]" }

    Object run(Closure body) {
        if (hasRun) {
            // Only the first pipeline of a Jenkinsfile is declarative for Jenkins.
            return bindToScript(body).call()
        }
        hasRun = true
        root = Block.read(new Root(this), body)
        if (isCheck) {
            return null
        }
        Throwable problem = null
        boolean isPostDone = false
        try {
            root.libraryList.each { Channel.call('library', [identifier: it.value]) }
            Runner.globals.params = Channel.call('_declare',
                [options: root.optionList, parameters: root.parameterList, triggers: root.triggerList])
            runOnAgent(root) {
                checkout(root)
                runInEnvironment(root) {
                    runInOptions(root.optionList) {
                        // Here `retry` begins anew.
                        problem = null
                        runInTools(root, root, true) {
                            problem = runSequence(root.stageList, null, null, null)
                            isPostDone = true
                            problem = runPostActions(problem)
                        }
                        raise(problem)
                    }
                }
            }
        } catch (Throwable thrown) {
            problem = problem ?: Channel.unwrap(thrown)
        }
        raise(isPostDone ? problem : runPostActions(problem))
        return null
    }

    private static void raise(Throwable problem) {
        if (problem != null) {
            throw problem
        }
    }

    /** Run stages one after another; the first failure, which all stages after it are skipped for. */
    private Throwable runSequence(List<Stage> stages, Throwable before, Stage parent, Map reason) {
        Throwable problem = before
        for (stage in stages) {
            try {
                runStage(stage, problem, parent, reason)
            } catch (Throwable thrown) {
                problem = problem ?: Channel.unwrap(thrown)
            }
        }
        return reason == null && parent != null ? runStagePost(parent, problem) : problem
    }

    private void runStage(Stage stage, Throwable before, Stage parent, Map given) {
        Channel.runBlock('stage', [name: stage.name]) {
            Map reason = given
            Throwable problem = before
            try {
                if (reason == null && before != null) {
                    reason = [name: stage.name, why: 'earlier failure(s)']
                } else if (reason == null && isUnstable() && hasOption(root, 'skipStagesAfterUnstable')) {
                    reason = [name: stage.name, why: 'earlier stage(s) marking the build as unstable']
                }
                if (reason != null) {
                    skip(stage, problem, reason)
                } else {
                    runWith(stage.cellValues.collect { name, value -> "${name}=${value}".toString() }) {
                        if (!runUnlessExcluded(stage, parent)) {
                            reason = [name: stage.name, why: 'when conditional', isExcluded: true]
                            skip(stage, problem, reason)
                        }
                    }
                }
            } catch (Throwable thrown) {
                problem = problem ?: Channel.unwrap(thrown)
            }
            if (reason == null && stage.isBranching()) {
                problem = runStagePost(stage, problem)
            }
            raise(problem)
        }
    }

    private static boolean isUnstable() { Channel.call('_build', [reference: '', name: 'result']) == 'UNSTABLE' }

    /** Show a stage, and the stages within it, as skipped. */
    private void skip(Stage stage, Throwable problem, Map reason) {
        Channel.call('_skipped', reason)
        if (stage.isBranching()) {
            Map<String, Closure> branches = stage.branches.collectEntries { inner ->
                [(inner.name): { runStage(inner, problem, stage, reason + [name: inner.name]) }]
            }
            Channel.runBlock('parallel', [:]) { Steps.runBranches(branches, false) }
        } else if (stage.stageList) {
            runSequence(stage.stageList, problem, stage, reason)
        }
    }

    /** Run a stage within its options, input and agent; false if `when` does not hold, which is evaluated where its flags say. */
    private boolean runUnlessExcluded(Stage stage, Stage parent) {
        When flags = stage.whenBody == null ? null : Block.read(new WhenFlags(this), stage.whenBody)
        boolean[] isHeld = [stage.whenBody == null]
        Closure isPassed = { boolean isNow -> isHeld[0] || !isNow || (isHeld[0] = Block.read(new When(this), stage.whenBody).evaluate()) }
        if (!isPassed(flags?.isBeforeOptions ?: false)) {
            return false
        }
        runInOptions(stage.optionList) {
            if (isPassed(flags?.isBeforeInput ?: false)) {
                askInput(stage) {
                    if (stage.isBranching()) {
                        if (isPassed(true)) {
                            runInEnvironment(stage) { runBranches(stage) }
                        }
                    } else if (isPassed(flags?.isBeforeAgent ?: false)) {
                        runOnAgent(stage) {
                            if (isPassed(true)) {
                                checkout(stage)
                                runInEnvironment(stage) { runInTools(stage, parent?.toolsBody == null ? root : parent, false) { runBody(stage) } }
                            }
                        }
                    }
                }
            }
        }
        return isHeld[0]
    }

    /** Wait for the input of a stage, then run a body with the values as variables. */
    private void askInput(Stage stage, Closure body) {
        if (stage.inputBody == null) {
            body.call()
            return
        }
        Map question = Block.read(new InputSettings(this), stage.inputBody).values
        def answer = Channel.call('input', question)
        def parameters = (List<Map>) (question.parameters ?: [])
        if (parameters.isEmpty() && !question.submitterParameter) {
            body.call()
            return
        }
        Map values = answer instanceof Map ? answer : [(question.submitterParameter ?: parameters[0].name): answer]
        Channel.runBlock('withEnv', [overrides: values.collect { key, value -> "${key}=${value}".toString() }], body)
    }

    private void runBranches(Stage stage) {
        boolean failsFast = stage.isFailFast || hasOption(root, 'parallelsAlwaysFailFast')
        Channel.runBlock('parallel', [:]) {
            Steps.runBranches(stage.branches.collectEntries { inner -> [(inner.name): { runStage(inner, null, stage, null) }] }, failsFast)
        }
    }

    private void runBody(Stage stage) {
        if (stage.stageList) {
            raise(runSequence(stage.stageList, null, stage, null))
            return
        }
        Throwable problem = null
        try {
            guardNode(stage) { bindToScript(stage.stepsBody).call() }
        } catch (Throwable thrown) {
            problem = Channel.unwrap(thrown)
        }
        raise(runStagePost(stage, problem))
    }

    /** Run steps; where there is no agent, a step that needs one fails with words of declarative pipelines. */
    private Object guardNode(Section section, Closure body) {
        try {
            return body.call()
        } catch (Throwable thrown) {
            def problem = Channel.unwrap(thrown)
            if (problem instanceof StepProblem && problem.kind.endsWith('.MissingContextVariableException') && !hasNode(section)) {
                return Channel.call('error', [message: NO_NODE])
            }
            throw problem
        }
    }

    private Throwable runStagePost(Stage stage, Throwable problem) {
        if (!isAnyDue(stage, problem)) {
            return problem
        }
        Channel.call('_line', [text: 'Post stage'])
        return runConditions(stage, problem, true)
    }

    private Throwable runPostActions(Throwable problem) {
        Throwable last = problem
        if (isAnyDue(root, problem)) {
            Channel.runBlock('stage', [name: 'Declarative: Post Actions']) { last = runConditions(root, problem, false) }
        }
        return last
    }

    private static boolean isAnyDue(Section section, Throwable problem) {
        CONDITIONS.any { section.conditions.containsKey(it) && isDue(it, problem, false) }
    }

    private static boolean isDue(String name, Throwable problem, boolean isOfStage) {
        Channel.call('_isDue', [condition: name, error: describe(problem), isOfStage: isOfStage])
    }

    private static Map describe(Throwable problem) { problem == null ? null : Channel.describe(problem) }

    /** Run the blocks of `post`: each condition is judged after the blocks before it have run. The failure of the section. */
    private Throwable runConditions(Section section, Throwable before, boolean isOfStage) {
        Throwable problem = before
        for (name in CONDITIONS.findAll { section.conditions.containsKey(it) }) {
            if (!isDue(name, problem, isOfStage)) {
                continue
            }
            Map results = (Map) Channel.call('_beginPost', [error: describe(problem), isOfStage: isOfStage])
            try {
                guardNode(section) { bindToScript(section.conditions[name]).call() }
            } catch (Throwable thrown) {
                def own = Channel.unwrap(thrown)
                Channel.call('_postFailed', [condition: name, error: Channel.describe(own)])
                problem = problem ?: own
            }
            Channel.call('_endPost', results)
        }
        return problem
    }
}
