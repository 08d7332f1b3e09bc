import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ExecutionException
import java.util.concurrent.atomic.AtomicLong

/** The connection to the engine: one JSON object a line. Answers have the id of their request, so that branches can wait at the same time. */
class Channel {
    static PrintStream out
    static Map hello
    /** The block in which the current thread runs; branches inherit it. */
    static final InheritableThreadLocal<String> context = new InheritableThreadLocal<String>() {
        protected String initialValue() { 'root' }
    }
    /** The steps that Jenkins runs at once, so that no other branch runs meanwhile, and the state of the program is not stored. */
    static final Set<String> IMMEDIATE = ['echo', 'error', 'isUnix', 'milestone', 'properties', 'pwd', 'unstable'] as Set
    private static final Map<Long, CompletableFuture> waiting = new ConcurrentHashMap<>()
    private static final AtomicLong last = new AtomicLong()

    static void open(InputStream input, PrintStream output) {
        out = output
        def reader = new BufferedReader(new InputStreamReader(input, 'UTF-8'))
        hello = (Map) parse(reader.readLine())
        Thread.startDaemon('answers') {
            String line
            while ((line = reader.readLine()) != null) {
                Map answer = (Map) parse(line)
                waiting.remove(((Number) answer.id).longValue())?.complete(answer)
            }
            // The engine has ended, so nobody needs the results of this program.
            Runtime.runtime.halt(1)
        }
    }

    private static Object parse(String line) { copy(new JsonSlurper().parseText(line)) }

    /** Copy data into collections that keep the order of their entries, and that Jenkins can store with a program. */
    private static Object copy(Object value) {
        if (value instanceof Map) {
            Map copied = new LinkedHashMap(value.size() * 2)
            value.each { key, entry -> copied.put(key, copy(entry)) }
            return copied
        }
        return value instanceof List ? value.collect { copy(it) } : value
    }

    static synchronized void send(Map message) {
        out.print(JsonOutput.toJson(message) + '\n')
        out.flush()
    }

    /** Request a step from the engine and wait for its answer; throws the error of the answer. */
    static Object call(String name, Map arguments, String kind = 'call') {
        List<String> interpolated = []
        return request(name, (Map) toPlain(arguments, interpolated), kind, interpolated)
    }

    /** Request a step whose arguments are plain data; `interpolated` are the texts among them that Groovy composed. */
    static Object request(String name, Map arguments, String kind, List<String> interpolated) {
        boolean isImmediate = kind == 'call' && (name.startsWith('_') || IMMEDIATE.contains(name))
        // At other steps Jenkins stores the program; where it cannot, the step has begun, and then the program fails.
        Throwable unstorable = isImmediate || kind == 'enter' || (kind == 'leave' && (name.startsWith('_') || arguments.error)) ? null : CpsStorage.findFailure()
        long id = last.incrementAndGet()
        def answer = new CompletableFuture<Map>()
        waiting.put(id, answer)
        send([id: id, kind: kind, context: context.get(), name: name, arguments: arguments, interpolated: interpolated, isLost: unstorable != null])
        Map received
        try {
            received = isImmediate ? answer.get() : (Map) Baton.lend { answer.get() }
        } catch (ExecutionException problem) {
            throw problem.cause
        }
        if (unstorable != null) {
            throw unstorable
        }
        if (received.error) {
            throw makeThrowable((Map) received.error)
        }
        return received.value
    }

    /** Run a body within a block step; throws what the body throws, unless the engine has handled it. */
    static Object runBlock(String name, Map arguments, Closure body) {
        return runEntered((Map) call(name, arguments, 'enter'), name, body)
    }

    /** Run the body of a block that was entered; the body gets the value with which the block begins. */
    static Object runEntered(Map entered, String name, Closure body, CpsFrame caller = CpsState.current()) {
        String before = context.get()
        context.set((String) entered.context)
        Throwable problem = null
        def result = null
        try {
            result = CpsState.runBody(caller) { body.maximumNumberOfParameters > 0 ? body.call(entered.value) : body.call() }
        } catch (Throwable thrown) {
            problem = unwrap(thrown)
        } finally {
            context.set((String) entered.context)
        }
        Map verdict
        try {
            verdict = (Map) call(name, [error: problem == null ? null : describe(problem)], 'leave')
        } finally {
            context.set(before)
        }
        if (problem != null && !verdict?.isHandled) {
            throw problem
        }
        return verdict?.isHandled ? null : result
    }

    /** Find the exception that Java's and Groovy's exceptions of a call wrap. */
    static Throwable unwrap(Throwable problem) {
        def inner = problem
        while (inner.cause != null && (inner instanceof java.lang.reflect.UndeclaredThrowableException
                || inner instanceof org.codehaus.groovy.runtime.InvokerInvocationException
                || inner instanceof java.lang.reflect.InvocationTargetException)) {
            inner = inner.cause
        }
        return inner
    }

    /** Make the exception of an error that the engine sent. */
    static Throwable makeThrowable(Map error) {
        switch (error.kind) {
            case 'org.jenkinsci.plugins.workflow.steps.FlowInterruptedException':
                return new FlowInterruptedException((String) error.message, (String) error.result, (boolean) error.isActual, (boolean) error.isOfAgent)
            case 'hudson.AbortException':
                return new AbortException((String) error.message)
            default:
                return StepProblem.of((String) error.kind, (String) error.message, (List<Map>) (error.causes ?: []))
        }
    }

    /** Describe an exception for the engine: its class, its message, its causes, the result of the build, and the lines of the Jenkinsfile. */
    static Map describe(Throwable problem) {
        String result = problem instanceof FlowInterruptedException ? problem.result.name : 'FAILURE'
        Map head = name(problem)
        // The message of a fault that was found before the run has its lines already.
        boolean isStructural = head.kind == 'org.codehaus.groovy.control.MultipleCompilationErrorsException'
        def lines = problem.stackTrace.findAll { it.fileName == 'WorkflowScript' }.collect { "\tat ${it}".toString() }.take(12)
        return head + [result: result, trace: isStructural ? [] : lines, causes: listCauses(problem), isProxied: Proxied.isProxied(problem)]
    }

    private static Map name(Throwable problem) {
        if (problem instanceof StepProblem) {
            return [kind: problem.kind, message: problem.message]
        }
        if (problem instanceof UnknownInSandbox) {
            return [kind: UnknownInSandbox.KIND, message: problem.message]
        }
        String text = problem instanceof org.codehaus.groovy.runtime.powerassert.PowerAssertionError ? problem.toString() : null
        return text != null ? [kind: null, message: text] : [kind: problem.class.name, message: problem.message]
    }

    /** List the causes of an exception, the innermost first. */
    private static List<Map> listCauses(Throwable problem) {
        List<Map> causes = problem instanceof StepProblem ? new ArrayList<Map>(problem.causes) : []
        for (Throwable cause = problem.cause; cause != null && causes.size() < 10; cause = cause.cause) {
            causes.add(0, name(cause))
        }
        return causes
    }

    /** Convert a value to what JSON can represent; every other object becomes its text. Texts that Groovy composed are collected. */
    static Object toPlain(Object value, List<String> interpolated = []) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return value
        }
        if (value instanceof Map) {
            return value.collectEntries { key, entry -> [(key.toString()): toPlain(entry, interpolated)] }
        }
        if (value instanceof Collection || value.class.array) {
            return value.collect { toPlain(it, interpolated) }
        }
        String text = value.toString()
        if (value instanceof GString) {
            interpolated << text
        }
        return text
    }
}

/** Decides which exceptions Jenkins cannot store with a build: it shows them through a proxy. */
class Proxied {
    static boolean isProxied(Throwable problem) {
        if (problem instanceof StepProblem) {
            return ([problem.kind] + problem.causes*.kind).any { isHard((String) it) }
        }
        for (Throwable entry = problem; entry != null; entry = entry.cause) {
            if (entry.class.classLoader instanceof GroovyClassLoader || isHard(entry.class.name)) {
                return true
            }
        }
        return false
    }

    private static boolean isHard(String name) {
        if (name == null) {
            return false
        }
        if (name.startsWith('org.codehaus.groovy.') || name.startsWith('net.sf.json.') || name == 'groovy.lang.MissingMethodException') {
            return true
        }
        if (!name.startsWith('java.')) {
            return false
        }
        try {
            // XStream cannot read the fields that Java itself keeps private.
            for (Class type = Class.forName(name); type != Throwable; type = type.superclass) {
                if (type.declaredFields.any { !(it.modifiers & (java.lang.reflect.Modifier.STATIC | java.lang.reflect.Modifier.TRANSIENT)) }) {
                    return true
                }
            }
        } catch (ClassNotFoundException ignored) {
            return false
        }
        return false
    }
}

/** The failure of a step whose Java class does not exist here. */
class StepProblem extends RuntimeException {
    final String kind
    final List<Map> causes

    StepProblem(String kind, String message, List<Map> causes = []) {
        super(message)
        this.kind = kind
        this.causes = causes
    }

    /** Make the exception of Java itself, which a script can catch by its class, or one that bears only the name of the class. */
    static Throwable of(String kind, String message, List<Map> causes) {
        if (kind.startsWith('java.') && causes.isEmpty()) {
            try {
                return (Throwable) Class.forName(kind).getConstructor(String).newInstance(message)
            } catch (ReflectiveOperationException ignored) {
                return new StepProblem(kind, message)
            }
        }
        return new StepProblem(kind, message, causes)
    }

    String toString() { message == null ? kind : "${kind}: ${message}" }
}
