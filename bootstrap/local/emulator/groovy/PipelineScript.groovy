import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** The base class of a Jenkinsfile: a name that is no method of the Jenkinsfile is a step, a symbol or a global. */
abstract class PipelineScript extends Script {
    private static final Set<String> OWN = ['binding', 'class', 'metaClass'] as Set

    Object methodMissing(String name, Object given) { Steps.invoke(this, name, (Object[]) given) }

    void setProperty(String name, Object value) {
        warnOfField(name, value)
        super.setProperty(name, value)
    }

    /** Tell that a variable without `def` becomes a field of the script. */
    static void warnOfField(String name, Object value) {
        Channel.call('_line', [text: 'Did you forget the `def` keyword? WorkflowScript seems to be setting a field named ' + name
            + " (to a value of type ${value == null ? 'null' : value.class.simpleName}) which could lead to memory leaks or other issues."])
    }

    Object getProperty(String name) {
        if (OWN.contains(name)) {
            return super.getProperty(name)
        }
        if (binding.hasVariable(name)) {
            return binding.getVariable(name)
        }
        if (Runner.globals.containsKey(name)) {
            return Runner.globals[name]
        }
        if (name == 'scm') {
            throw new hudson.AbortException('\u2018checkout scm\u2019 is only available when using \u201cMultibranch Pipeline\u201d'
                + ' or \u201cPipeline script from SCM\u201d')
        }
        if (metaClass.hasProperty(this, name)) {
            return super.getProperty(name)
        }
        def value = Channel.call('_env', [name: name])
        if (value == null) {
            throw new MissingPropertyException(name, Binding)
        }
        return value
    }

    // Groovy adds methods of these names to every object; the steps must replace them.
    def sleep(int time) { Channel.call('sleep', [time: time]) }
    def sleep(long time) { Channel.call('sleep', [time: time]) }
    def sleep(Map arguments) { Channel.call('sleep', arguments) }
    void print(Object text) { Channel.call('echo', [message: String.valueOf(text)]) }
    void println() { Channel.call('echo', [message: '']) }
    void println(Object text) { Channel.call('echo', [message: String.valueOf(text)]) }
    void printf(String format, Object value) { printf(format, [value] as Object[]) }
    void printf(String format, Object[] values) { Channel.call('echo', [message: String.format(format, values)]) }
}

/** The global `steps`: an object whose methods are the steps. */
class StepsObject {
    final PipelineScript script

    StepsObject(PipelineScript script) { this.script = script }

    Object methodMissing(String name, Object given) { Steps.invoke(script, name, (Object[]) given) }
}

/** Runs steps: some here, the others by the engine. */
class Steps {
    /** The steps that run here, in Groovy. */
    static final List<String> OWN = ['load', 'parallel', 'pipeline', 'retry', 'step', 'waitUntil']
    static final List<String> GLOBALS = ['currentBuild', 'env', 'params', 'pipeline', 'scm']
    /** Steps of Jenkins, with the plugins that the emulator has, which the emulator lacks. */
    static final Set<String> LACKED = ['archive', 'emailextrecipients', 'envVarsForTool', 'getContext', 'libraryResource', 'powershell',
        'publishChecks', 'pwsh', 'readManifest', 'readTrusted', 'resolveScm', 'tm', 'unarchive', 'waitForBuild', 'withChecks', 'withContext',
        'writeMavenPom', 'addShortText', 'verifySha1', 'verifySha256', 'sshagent'] as Set
    private static int loaded = 0

    static Object invoke(PipelineScript script, String name, Object[] given) {
        List arguments = given as List
        Closure body = arguments && arguments[-1] instanceof Closure ? (Closure) arguments.remove(arguments.size() - 1) : null
        switch (name) {
            case 'pipeline':
                return new Declarative(script).run(body)
            case 'parallel':
                return parallel(nameArguments(arguments, 'closures'))
            case 'retry':
                return retry(nameArguments(arguments, 'count'), body)
            case 'waitUntil':
                return waitUntil(nameArguments(arguments, 'quiet'), body)
            case 'load':
                return load(script, nameArguments(arguments, 'path'))
        }
        if (script.binding.hasVariable(name) && script.binding.getVariable(name) instanceof Closure) {
            return ((Closure) script.binding.getVariable(name)).call(*given)
        }
        if (name == 'step') {
            Map delegate = (Map) nameArguments(arguments, 'delegate').delegate
            return invoke(script, findDelegate(delegate), [delegate.findAll { it.key != '$class' }] as Object[])
        }
        Map step = (Map) ((Map) Channel.hello.steps)[name]
        if (step == null) {
            return makeSymbol(name, arguments)
        }
        Map values = nameArguments(arguments, (String) step.main)
        List<String> interpolated = []
        def converted = Cps.callForeign(script, name) {
            values = (Map) Channel.toPlain(values, interpolated)
            return values
        }
        if (!converted.is(values)) {
            return converted  // Jenkins has called a part of the Jenkinsfile in the place of the step
        }
        if (name == 'stage' && body == null) {
            return Channel.call('_stage', values)
        }
        if (!step.isBlock) {
            return receive(script, name, Channel.request(name, values, 'call', interpolated))
        }
        if (body == null) {
            throw new IllegalStateException("There\u2019s no body for the step ${name}")
        }
        return Channel.runBlock(name, values, body)
    }

    /** Convert the value of a step: a build that it ran, the parameters that it declared, or plain data. */
    private static Object receive(PipelineScript script, String name, Object value) {
        if (name == 'properties') {
            Runner.globals.params = Collections.unmodifiableMap((Map) value)
            return null
        }
        if (name == 'input' && value instanceof Map) {
            return new HashMap(value)
        }
        if (name == 'validateDeclarativePipeline' && value instanceof Map) {
            Map verdict = Validator.judge((String) value.path, (String) value.text, (Map) Channel.hello.tools)
            Channel.call('_line', [text: verdict.words])
            return verdict.isValid
        }
        return value instanceof Map && value['$run'] ? new RunWrapper((String) value['$run']) : StepData.revive(value)
    }

    /** Find the step for a `step([$class: 'X', ...])`. */
    private static String findDelegate(Map delegate) {
        String name = ((String) delegate['$class']).tokenize('.').last()
        String step = [ArtifactArchiver: 'archiveArtifacts', JUnitResultArchiver: 'junit', WsCleanup: 'cleanWs', Fingerprinter: 'fingerprint',
            HtmlPublisher: 'publishHTML'][name]
        if (step == null) {
            throw new hudson.AbortException("the publisher ${name} is not known to the emulator".toString())
        }
        return step
    }

    /** Make the value of a symbol such as `string(name: 'X')`; throws Jenkins' error of a name that is no step and no symbol. */
    static Object makeSymbol(String name, List arguments) {
        List known = (List) Channel.hello.symbols
        if (!known.contains(name)) {
            if (LACKED.contains(name)) {
                throw new hudson.AbortException("the step ${name} is not known to the emulator".toString())
            }
            if (SectionChecks.unrecorded) {
                throw new hudson.AbortException(SectionChecks.describeLack('step', name))
            }
            def steps = new TreeSet(((Map) Channel.hello.steps).keySet()) + ['load', 'parallel', 'retry', 'waitUntil']
            throw new NoSuchMethodError("No such DSL method '${name}' found among steps ${new TreeSet(steps).toList()}"
                + " or symbols ${known.toSorted()} or globals ${GLOBALS}")
        }
        return ['$class': name] + nameArguments(arguments, 'value')
    }

    /** Make a map of arguments; a single argument without a name gets the name `main`. */
    static Map nameArguments(List arguments, String main) {
        if (arguments.isEmpty() || (arguments.size() == 1 && arguments[0] == null)) {
            return [:]
        }
        def first = arguments[0]
        boolean isObject = first instanceof Map && first.containsKey('$class')
        if (first instanceof Map && !isObject) {
            return arguments.size() > 1 ? [(main): arguments[1]] + first : new LinkedHashMap(first)
        }
        if (arguments.size() > 1) {
            throw new IllegalArgumentException("Expected named arguments but got ${arguments}")
        }
        return [(main): first]
    }

    static Object parallel(Map given) {
        Map branches = given.closures instanceof Map ? (Map) given.closures : given
        boolean failsFast = given.failFast ?: false
        def wrong = branches.find { it.key != 'failFast' && !(it.value instanceof Closure) }
        Map closures = branches.findAll { it.value instanceof Closure }.collectEntries { key, value -> [(key.toString()): value] }
        return Channel.runBlock('parallel', [:]) {
            if (wrong != null) {
                throw new IllegalArgumentException("Expected a closure or failFast but found ${wrong}".toString())
            }
            runBranches(closures, failsFast)
        }
    }

    static Map runBranches(Map<String, Closure> closures, boolean failsFast) {
        Map results = [:]
        List<Throwable> problems = []
        CpsFrame caller = CpsState.current()
        Map<String, Map> entered = closures.collectEntries { name, closure -> [(name): Channel.call('_branch', [name: name], 'enter')] }
        List<Thread> threads = closures.collect { name, closure ->
            results[name] = null
            Baton.start("branch ${name}") {
                try {
                    results[name] = Channel.runEntered(entered[name], '_branch', closure, caller)
                } catch (Throwable problem) {
                    problems << Channel.unwrap(problem)
                    if (failsFast && problems.size() == 1) {
                        Channel.call('_failFast', [branch: name])
                    }
                }
            }
        }
        Baton.lend { threads*.join() }
        if (problems) {
            throw problems.find { !(it instanceof FlowInterruptedException) } ?: problems[0]
        }
        return results
    }

    static Object retry(Map arguments, Closure body) {
        int count = arguments.count as int
        return Channel.runBlock('retry', arguments) {
            for (int attempt = 1; ; attempt++) {
                try {
                    return Channel.runBlock('_attempt', [:], body)
                } catch (Throwable problem) {
                    if (attempt >= count || !RetryCondition.fits(Channel.unwrap(problem), (List) (arguments.conditions ?: []))) {
                        throw problem
                    }
                    Channel.call('_retrying', [error: Channel.describe(Channel.unwrap(problem))])
                }
            }
        }
    }

    static Object waitUntil(Map arguments, Closure body) {
        double period = (arguments.initialRecurrencePeriod ?: 250) / 1000
        return Channel.runBlock('waitUntil', arguments) {
            for (;;) {
                Object value = Channel.runBlock('_attempt', [:], body)
                if (!(value instanceof Boolean)) {
                    throw new ClassCastException("body return value ${value} is not boolean".toString())
                }
                if (value) {
                    return null
                }
                Channel.call('_pause', [seconds: period])
                period = Math.min(period * 1.2, 15)
            }
        }
    }

    static Object load(PipelineScript script, Map arguments) {
        return Channel.runBlock('load', arguments) { Object text ->
            Runner.makeShell(script.binding).parse((String) text, "Script${++loaded}.groovy").run()
        }
    }
}
