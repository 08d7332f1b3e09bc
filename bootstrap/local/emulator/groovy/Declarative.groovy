import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** Runs a declarative pipeline: first all of it is read and checked, then it is run. */
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

    /** Note a fault with the line of the Jenkinsfile that it stands on. */
    Object fault(String message) {
        def frame = new Throwable().stackTrace.find { it.fileName == 'WorkflowScript' }
        int line = frame == null ? 1 : frame.lineNumber
        faults << "WorkflowScript: ${line}: ${message} @ line ${line}, column 1.".toString()
        return null
    }

    Object run(Closure body) {
        root = Block.read(new Root(this), body)
        if (root.agentBody == null && root.agentWord == null) {
            fault('Missing required section "agent"')
        }
        if (root.stageList.isEmpty() && !faults.any { it.contains('No stages') }) {
            fault('Missing required section "stages"')
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
        // The options lie within the agent: a timeout there bounds neither the wait for it nor the checkout.
        onAgent(root) { checkout(root); prepared(root) { wrapped(root.optionList) { whole() } } }
        return null
    }

    private void whole() {
        sequence(root.stageList)
        if (root.conditions) {
            postActions(root.conditions, failed, true)
        }
        if (failed != null) {
            throw failed
        }
    }

    private boolean hasOption(Section section, String name) { section.optionList.any { it['$class'] == name } }

    /** Options that are steps around everything, the first outermost. */
    private Object wrapped(List<Map> options, Closure body) {
        def option = options.find { WRAPPERS.contains(it['$class']) }
        if (option == null) {
            return body.call()
        }
        Map values = new LinkedHashMap(option)
        String name = values.remove('$class')
        Closure inner = { wrapped(options - [option], body) }
        if (values.containsKey('value')) {
            values[(String) (name == 'retry' ? 'count' : ((Map) ((Map) Channel.hello.steps)[name]).main)] = values.remove('value')
        }
        return name == 'retry' ? Steps.retry(values, inner) : Channel.block(name, values, inner)
    }

    private void onAgent(Section section, Closure body) {
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
        Channel.block('node', [label: values.label ?: '']) {
            if (values.customWorkspace) {
                Channel.block('ws', [dir: values.customWorkspace], body)
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
        Closure inner = folder ? { Channel.block('dir', [path: folder], step) } : step
        if (section instanceof Stage) {
            inner.call()
        } else {
            Channel.block('stage', [name: 'Declarative: Checkout SCM'], inner)
        }
    }

    /** The environment and the tools of a section around a body. */
    private void prepared(Section section, Closure body) {
        Closure inner = body
        if (section.toolsBody != null) {
            Map tools = Block.read(new Settings(this, ['ant', 'git', 'gradle', 'jdk', 'maven', 'nodejs']), section.toolsBody).values
            Closure outer = inner
            inner = { Channel.block('_tools', [tools: tools], outer) }
        }
        if (section.environmentBody == null) {
            inner.call()
            return
        }
        Map values = Block.read(new Environment(this), section.environmentBody).@values
        Channel.block('_declaredEnvironment', [values: values], inner)
    }

    private void sequence(List<Stage> stages) {
        for (stage in stages) {
            if (failed != null) {
                skipped(stage, 'earlier failure(s)')
            } else if (hasOption(root, 'skipStagesAfterUnstable') && Channel.call('_build', [reference: '', name: 'currentResult']) == 'UNSTABLE') {
                skipped(stage, 'earlier stage(s) marking the build as unstable')
            } else {
                try {
                    guarded(stage)
                } catch (Throwable problem) {
                    failed = Channel.unwrap(problem)
                }
            }
        }
    }

    private void skipped(Stage stage, String why) {
        Channel.block('stage', [name: stage.name]) {
            Channel.call('_skipped', [name: stage.name, why: why])
            (stage.stageList ?: stage.branches).each { skipped(it, why) }
        }
    }

    private void guarded(Stage stage) {
        Channel.block('stage', [name: stage.name]) {
            // Where its flags say nothing, 'when' is asked last: within options, question and agent.
            When flags = stage.whenBody == null ? null : flags(stage)
            boolean[] isAsked = [stage.whenBody == null]
            Closure passes = { boolean isNow -> !isNow || isAsked[0] || ((isAsked[0] = true) && holds(stage)) }
            if (!passes(flags?.isBeforeOptions ?: false)) {
                return
            }
            wrapped(stage.optionList) {
                if (!passes(flags?.isBeforeInput ?: false)) {
                    return
                }
                asked(stage) {
                    if (!passes(flags?.isBeforeAgent ?: false)) {
                        return
                    }
                    onAgent(stage) {
                        checkout(stage)
                        prepared(stage) {
                            if (passes(true)) {
                                inside(stage)
                            }
                        }
                    }
                }
            }
        }
    }

    // The flags stand beside the conditions, so the conditions' words must pass without being evaluated.
    private When flags(Stage stage) {
        return Block.read(new WhenFlags(this), stage.whenBody)
    }

    private boolean holds(Stage stage) {
        boolean isHeld = Block.read(new When(this), stage.whenBody).results.every { it }
        if (!isHeld) {
            Channel.call('_skipped', [name: stage.name, why: 'when conditional'])
            (stage.stageList ?: stage.branches).each { skipped(it, 'when conditional') }
        }
        return isHeld
    }

    private void asked(Stage stage, Closure body) {
        if (stage.inputBody == null) {
            body.call()
            return
        }
        Map question = Block.read(new InputSettings(this), stage.inputBody).values
        def answer = Channel.call('input', question)
        Map values = answer instanceof Map ? answer : question.parameters ? [(((List<Map>) question.parameters)[0].name): answer] : [:]
        Channel.block('withEnv', [overrides: values.collect { key, value -> "${key}=${value}" }], body)
    }

    private void inside(Stage stage) {
        Throwable problem = null
        try {
            if (stage.stepsBody != null) {
                leaf(stage.stepsBody).call()
            } else if (stage.stageList) {
                sequence(stage.stageList)
                problem = failed
            } else {
                boolean failsFast = stage.isFailFast || hasOption(root, 'parallelsAlwaysFailFast')
                Channel.block('parallel', [:]) { Steps.branch(stage.branches.collectEntries { [(it.name): branch(it)] }, failsFast) }
            }
        } catch (Throwable thrown) {
            problem = Channel.unwrap(thrown)
        }
        if (stage.conditions) {
            postActions(stage.conditions, problem, false)
        }
        if (problem != null) {
            failed = null
            throw problem
        }
    }

    private Closure branch(Stage stage) {
        // Each branch has its own memory of failure: a sibling's must not skip its stages.
        def own = new Declarative(script)
        own.root = root
        return { own.guarded(stage) }
    }

    /** A body of steps: everything in it is looked up in the script. */
    Closure leaf(Closure body) {
        def found = body.rehydrate(script, script, script)
        found.resolveStrategy = Closure.OWNER_FIRST
        return found
    }

    private void postActions(Map<String, Closure> conditions, Throwable problem, boolean isWhole) {
        List<String> due = (List<String>) Channel.call('_post', [error: problem == null ? null : Channel.describe(problem)])
        List<String> names = CONDITIONS.findAll { conditions.containsKey(it) && due.contains(it) }
        if (names.isEmpty()) {
            return
        }
        Closure all = {
            for (name in names) {
                try {
                    leaf(conditions[name]).call()
                } catch (Throwable thrown) {
                    Channel.call('_postFailed', [condition: name, error: Channel.describe(Channel.unwrap(thrown))])
                }
            }
        }
        if (isWhole) {
            Channel.block('stage', [name: 'Declarative: Post Actions'], all)
        } else {
            Channel.call('_line', [text: "Post stage"])
            all.call()
        }
    }
}
