import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** Runs a declarative pipeline: first it reads and checks all of it, then it runs it. */
class Declarative {
    static final List<String> OPTIONS = ['ansiColor', 'buildDiscarder', 'checkoutToSubdirectory', 'disableConcurrentBuilds', 'disableRestartFromStage',
        'disableResume', 'durabilityHint', 'lock', 'newContainerPerStage', 'overrideIndexTriggers', 'parallelsAlwaysFailFast', 'preserveStashes',
        'quietPeriod', 'retry', 'skipDefaultCheckout', 'skipStagesAfterUnstable', 'timeout', 'timestamps']
    static final List<String> WRAPPERS = ['timestamps', 'ansiColor', 'timeout', 'lock', 'retry']
    static final List<String> PARAMETERS = ['booleanParam', 'choice', 'password', 'string', 'text']
    static final List<String> TRIGGERS = ['cron', 'pollSCM', 'upstream']
    static final List<String> CONDITIONS = ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable', 'unsuccessful',
        'notBuilt', 'cleanup']
    static boolean isCheck

    final PipelineScript script
    final List<String> faults = []
    private Root root
    private Throwable failed

    Declarative(PipelineScript script) { this.script = script }

    /** Add a fault, with its line in the Jenkinsfile. */
    Object addFault(String message) {
        def frame = new Throwable().stackTrace.find { it.fileName == 'WorkflowScript' }
        int line = frame == null ? 1 : frame.lineNumber
        faults << "WorkflowScript: ${line}: ${message} @ line ${line}, column 1.".toString()
        return null
    }

    Object run(Closure body) {
        root = Block.read(new Root(this), body)
        if (root.agentBody == null && root.agentWord == null) {
            addFault('Missing required section "agent"')
        }
        if (root.stageList.isEmpty() && !faults.any { it.contains('No stages') }) {
            addFault('Missing required section "stages"')
        }
        if (faults) {
            throw new StepProblem('org.codehaus.groovy.control.MultipleCompilationErrorsException',
                "startup failed:\n${faults.join('\n')}\n${faults.size()} error${faults.size() > 1 ? 's' : ''}\n")
        }
        if (isCheck) {
            return null
        }
        script.binding.setVariable('params', Channel.call('_declare',
            [options: root.optionList, parameters: root.parameterList, triggers: root.triggerList]))
        // The options begin within the agent: a timeout includes neither the wait for the agent nor the checkout.
        runOnAgent(root) { checkout(root); runInEnvironment(root) { runInOptions(root.optionList) { runAll() } } }
        return null
    }

    private void runAll() {
        runSequence(root.stageList)
        if (root.conditions) {
            runPostActions(root.conditions, failed, true)
        }
        if (failed != null) {
            throw failed
        }
    }

    private boolean hasOption(Section section, String name) { section.optionList.any { it['$class'] == name } }

    /** Run a body within the options that are steps, the first outermost. */
    private Object runInOptions(List<Map> options, Closure body) {
        def option = options.find { WRAPPERS.contains(it['$class']) }
        if (option == null) {
            return body.call()
        }
        Map values = new LinkedHashMap(option)
        String name = values.remove('$class')
        Closure inner = { runInOptions(options - [option], body) }
        if (values.containsKey('value')) {
            values[(String) (name == 'retry' ? 'count' : ((Map) ((Map) Channel.hello.steps)[name]).main)] = values.remove('value')
        }
        return name == 'retry' ? Steps.retry(values, inner) : Channel.runBlock(name, values, inner)
    }

    private void runOnAgent(Section section, Closure body) {
        if (section.agentWord == 'none' || (section.agentWord == null && section.agentBody == null)) {
            body.call()
            return
        }
        Map values = [:]
        if (section.agentWord != null && section.agentWord != 'any') {
            throw new hudson.AbortException(invalidAgent(section.agentWord))
        }
        if (section.agentBody != null) {
            values = Block.read(new AgentSettings(this), section.agentBody).values
            values = values.node instanceof Map ? (Map) values.node : values
        }
        Channel.runBlock('node', [label: values.label ?: '']) {
            if (values.customWorkspace) {
                Channel.runBlock('ws', [dir: values.customWorkspace], body)
            } else {
                body.call()
            }
        }
    }

    static String invalidAgent(String name) { "Invalid agent type \"${name}\" specified. Must be one of [any, label, none]" }

    private void checkout(Section section) {
        boolean hasNode = !(section.agentWord == 'none' || (section.agentWord == null && section.agentBody == null))
        if (!hasNode || !Channel.hello.scm || hasOption(root, 'skipDefaultCheckout')) {
            return
        }
        def folder = root.optionList.find { it['$class'] == 'checkoutToSubdirectory' }?.value
        Closure step = { Channel.call('_setEnvs', (Map) Channel.call('checkout', [scm: Channel.hello.scm])) }
        Closure inner = folder ? { Channel.runBlock('dir', [path: folder], step) } : step
        if (section instanceof Stage) {
            inner.call()
        } else {
            Channel.runBlock('stage', [name: 'Declarative: Checkout SCM'], inner)
        }
    }

    /** Run a body with the environment and the tools of a section. */
    private void runInEnvironment(Section section, Closure body) {
        Closure inner = body
        if (section.toolsBody != null) {
            Map tools = Block.read(new Settings(this, ['ant', 'git', 'gradle', 'jdk', 'maven', 'nodejs']), section.toolsBody).values
            Closure outer = inner
            inner = { Channel.runBlock('_tools', [tools: tools], outer) }
        }
        if (section.environmentBody == null) {
            inner.call()
            return
        }
        Map values = Block.read(new Environment(this), section.environmentBody).@values
        Channel.runBlock('_declaredEnvironment', [values: values], inner)
    }

    private void runSequence(List<Stage> stages) {
        for (stage in stages) {
            if (failed != null) {
                skip(stage, 'earlier failure(s)')
            } else if (hasOption(root, 'skipStagesAfterUnstable') && Channel.call('_build', [reference: '', name: 'currentResult']) == 'UNSTABLE') {
                skip(stage, 'earlier stage(s) marking the build as unstable')
            } else {
                try {
                    runStage(stage)
                } catch (Throwable problem) {
                    failed = Channel.unwrap(problem)
                }
            }
        }
    }

    /** Show a stage, and the stages within it, as skipped. */
    private void skip(Stage stage, String why) {
        Channel.runBlock('stage', [name: stage.name]) {
            Channel.call('_skipped', [name: stage.name, why: why])
            (stage.stageList ?: stage.branches).each { skip(it, why) }
        }
    }

    private void runStage(Stage stage) {
        Channel.runBlock('stage', [name: stage.name]) {
            // Without a flag 'when' is evaluated last: within the options, the input and the agent.
            When flags = stage.whenBody == null ? null : readFlags(stage)
            boolean[] isEvaluated = [stage.whenBody == null]
            Closure isPassed = { boolean isNow -> !isNow || isEvaluated[0] || ((isEvaluated[0] = true) && evaluateWhen(stage)) }
            if (!isPassed(flags?.isBeforeOptions ?: false)) {
                return
            }
            runInOptions(stage.optionList) {
                if (!isPassed(flags?.isBeforeInput ?: false)) {
                    return
                }
                askInput(stage) {
                    if (!isPassed(flags?.isBeforeAgent ?: false)) {
                        return
                    }
                    runOnAgent(stage) {
                        checkout(stage)
                        runInEnvironment(stage) {
                            if (isPassed(true)) {
                                runBody(stage)
                            }
                        }
                    }
                }
            }
        }
    }

    // The flags are in the same block as the conditions, which must not be evaluated yet.
    private When readFlags(Stage stage) {
        return Block.read(new WhenFlags(this), stage.whenBody)
    }

    /** Evaluate the conditions of `when`; if they do not hold, the stage is shown as skipped. */
    private boolean evaluateWhen(Stage stage) {
        boolean isHeld = Block.read(new When(this), stage.whenBody).results.every { it }
        if (!isHeld) {
            Channel.call('_skipped', [name: stage.name, why: 'when conditional'])
            (stage.stageList ?: stage.branches).each { skip(it, 'when conditional') }
        }
        return isHeld
    }

    /** Wait for the input of a stage, then run a body with the values as variables. */
    private void askInput(Stage stage, Closure body) {
        if (stage.inputBody == null) {
            body.call()
            return
        }
        Map question = Block.read(new InputSettings(this), stage.inputBody).values
        def answer = Channel.call('input', question)
        Map values = answer instanceof Map ? answer : question.parameters ? [(((List<Map>) question.parameters)[0].name): answer] : [:]
        Channel.runBlock('withEnv', [overrides: values.collect { key, value -> "${key}=${value}" }], body)
    }

    private void runBody(Stage stage) {
        Throwable problem = null
        try {
            if (stage.stepsBody != null) {
                bindToScript(stage.stepsBody).call()
            } else if (stage.stageList) {
                runSequence(stage.stageList)
                problem = failed
            } else {
                boolean failsFast = stage.isFailFast || hasOption(root, 'parallelsAlwaysFailFast')
                Channel.runBlock('parallel', [:]) { Steps.runBranches(stage.branches.collectEntries { [(it.name): makeBranch(it)] }, failsFast) }
            }
        } catch (Throwable thrown) {
            problem = Channel.unwrap(thrown)
        }
        if (stage.conditions) {
            runPostActions(stage.conditions, problem, false)
        }
        if (problem != null) {
            failed = null
            throw problem
        }
    }

    private Closure makeBranch(Stage stage) {
        // Each branch has its own `failed`: the failure of another branch must not skip its stages.
        def own = new Declarative(script)
        own.root = root
        return { own.runStage(stage) }
    }

    /** Bind a body of steps to the script, where Groovy then looks for every name. */
    Closure bindToScript(Closure body) {
        def bound = body.rehydrate(script, script, script)
        bound.resolveStrategy = Closure.OWNER_FIRST
        return bound
    }

    private void runPostActions(Map<String, Closure> conditions, Throwable problem, boolean isWhole) {
        List<String> due = (List<String>) Channel.call('_post', [error: problem == null ? null : Channel.describe(problem)])
        List<String> names = CONDITIONS.findAll { conditions.containsKey(it) && due.contains(it) }
        if (names.isEmpty()) {
            return
        }
        Closure all = {
            for (name in names) {
                try {
                    bindToScript(conditions[name]).call()
                } catch (Throwable thrown) {
                    Channel.call('_postFailed', [condition: name, error: Channel.describe(Channel.unwrap(thrown))])
                }
            }
        }
        if (isWhole) {
            Channel.runBlock('stage', [name: 'Declarative: Post Actions'], all)
        } else {
            Channel.call('_line', [text: "Post stage"])
            all.call()
        }
    }
}
