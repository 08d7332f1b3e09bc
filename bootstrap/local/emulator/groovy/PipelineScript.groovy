import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** The base class of a Jenkinsfile: a name that is no method of the Jenkinsfile is a step, a symbol or a global. */
abstract class PipelineScript extends Script {
    private static final Set<String> OWN = ['binding', 'class', 'metaClass'] as Set

    Object methodMissing(String name, Object given) { Steps.invoke(this, name, (Object[]) given) }

    Object getProperty(String name) {
        if (OWN.contains(name)) {
            return super.getProperty(name)
        }
        if (binding.hasVariable(name)) {
            return binding.getVariable(name)
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
    void print(Object text) { Channel.call('_print', [text: String.valueOf(text)]) }
    void println() { Channel.call('_print', [text: '']) }
    void println(Object text) { Channel.call('_print', [text: String.valueOf(text)]) }
    void printf(String format, Object value) { printf(format, [value] as Object[]) }
    void printf(String format, Object[] values) { Channel.call('_print', [text: String.format(format, values)]) }
}

/** Runs steps: some here, the others by the engine. */
class Steps {
    /** The steps that run here, in Groovy. */
    static final List<String> OWN = ['load', 'parallel', 'pipeline', 'retry', 'waitUntil']
    static final List<String> GLOBALS = ['currentBuild', 'env', 'params', 'pipeline', 'scm']

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
        Map step = (Map) ((Map) Channel.hello.steps)[name]
        if (step == null) {
            return makeSymbol(name, arguments)
        }
        Map values = nameArguments(arguments, (String) step.main)
        if (!step.isBlock) {
            return wrap(Channel.call(name, values))
        }
        if (body == null) {
            throw new IllegalStateException("There\u2019s no body for the step ${name}")
        }
        return Channel.runBlock(name, values, body)
    }

    private static Object wrap(Object value) {
        value instanceof Map && value['$run'] ? new RunWrapper((String) value['$run']) : value
    }

    /** Make the value of a symbol such as `string(name: 'X')`; throws Jenkins' error of a name that is no step and no symbol. */
    static Object makeSymbol(String name, List arguments) {
        List known = (List) Channel.hello.symbols
        if (!known.contains(name)) {
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
        Map closures = branches.findAll { it.value instanceof Closure }
        return Channel.runBlock('parallel', [:]) { runBranches(closures, failsFast) }
    }

    static Map runBranches(Map<String, Closure> closures, boolean failsFast) {
        Map results = Collections.synchronizedMap([:])
        List<Throwable> problems = Collections.synchronizedList([])
        List<Thread> threads = closures.collect { name, closure ->
            Thread.start("branch ${name}") {
                try {
                    results[name] = Channel.runBlock('_branch', [name: name], closure)
                } catch (Throwable problem) {
                    problems << Channel.unwrap(problem)
                    if (failsFast && problems.size() == 1) {
                        Channel.call('_failFast', [branch: name])
                    }
                }
            }
        }
        threads*.join()
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
                    return body.call()
                } catch (FlowInterruptedException problem) {
                    throw problem
                } catch (Throwable problem) {
                    if (attempt >= count) {
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
            while (body.call() != true) {
                Channel.call('_pause', [seconds: period])
                period = Math.min(period * 1.2, 15)
            }
        }
    }

    static Object load(PipelineScript script, Map arguments) {
        String text = Channel.call('readFile', [file: arguments.path])
        return Runner.makeShell(script.binding).parse(text, 'Loaded' + Math.abs(text.hashCode()) + '.groovy').run()
    }
}
