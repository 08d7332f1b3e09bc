/** Runs a body as a section of a declarative pipeline asks: in its options, on its agent, with its environment and its tools. */
abstract class SectionRunner {
    static final List<String> WRAPPERS = ['ansiColor', 'catchError', 'lock', 'retry', 'script', 'timeout', 'timestamps', 'warnError', 'withCredentials',
        'withEnv', 'ws']

    final PipelineScript script
    protected Root root

    SectionRunner(PipelineScript script) { this.script = script }

    protected boolean hasOption(Section section, String name) { section.optionList.any { it['$class'] == name } }

    /** Run a body within the options that are steps, the first outermost. */
    protected Object runInOptions(List<Map> options, Closure body) {
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

    protected void runOnAgent(Section section, Closure body) {
        if (section.agentWord == 'none' || (section.agentWord == null && section.agentBody == null)) {
            body.call()
            return
        }
        Map values = section.agentBody == null ? [:] : Block.read(new AgentSettings((Declarative) this), section.agentBody).values
        values = values.node instanceof Map ? (Map) values.node : values
        Channel.runBlock('node', [label: values.label ?: '']) {
            if (values.customWorkspace) {
                Channel.runBlock('ws', [dir: values.customWorkspace], body)
            } else {
                body.call()
            }
        }
    }

    protected static boolean namesAgent(Section section) { section.agentWord != null || section.agentBody != null }

    protected static boolean hasAgent(Section section) { section.agentBody != null || section.agentWord == 'any' }

    /** Whether the steps of a stage run on a node that the Jenkinsfile has given to it or to the pipeline. */
    protected boolean hasNode(Section section) { hasAgent(namesAgent(section) ? section : root) }

    protected void checkout(Section section) {
        if (!hasAgent(section) || !Channel.hello.scm || hasOption(root, 'skipDefaultCheckout') || hasOption(section, 'skipDefaultCheckout')) {
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

    /** Run a body with the environment of a section: first its credentials, then its other variables, which may use them. */
    protected void runInEnvironment(Section section, Closure body) {
        if (section.environmentBody == null) {
            body.call()
            return
        }
        def block = Block.read(new Environment((Declarative) this), section.environmentBody)
        Map<String, String> identifiers = block.credentialIds
        Closure inner = { runWith(block.listOverrides(), body) }
        if (identifiers) {
            Channel.runBlock('withCredentials', [bindings: Channel.call('_credentialBindings', [identifiers: identifiers])], inner)
        } else {
            inner.call()
        }
    }

    protected static void runWith(List<String> overrides, Closure body) {
        if (overrides) {
            Channel.runBlock('withEnv', [overrides: overrides], body)
        } else {
            body.call()
        }
    }

    /** Run a body with the tools of a section and of the one around it. */
    protected void runInTools(Section section, Section outer, boolean isWhole, Closure body) {
        Map tools = readTools(outer) + readTools(section)
        if (tools.isEmpty() || !hasNode(section)) {
            body.call()
            return
        }
        List<String> overrides = []
        Closure install = {
            tools.each { kind, name ->
                Channel.call('tool', [name: name, type: kind])
                overrides.addAll(0, (List<String>) Channel.call('_toolVariables', [kind: kind, name: name]))
            }
        }
        if (isWhole) {
            Channel.runBlock('stage', [name: 'Declarative: Tool Install'], install)
        } else {
            install.call()
        }
        Channel.runBlock('withEnv', [overrides: overrides], body)
    }

    protected Map readTools(Section section) {
        section?.toolsBody == null ? [:] : Block.read(new Settings((Declarative) this, ['git', 'jdk', 'maven']), section.toolsBody).values
    }

    /** Bind a body of steps to the script, where Groovy then looks for every name. */
    Closure bindToScript(Closure body) {
        def bound = body.rehydrate(script, script, script)
        bound.resolveStrategy = Closure.OWNER_FIRST
        return bound
    }
}
