import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic
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
    private static final Map<Long, CompletableFuture> waiting = new ConcurrentHashMap<>()
    private static final AtomicLong last = new AtomicLong()

    static void open(InputStream input, PrintStream output) {
        out = output
        def reader = new BufferedReader(new InputStreamReader(input, 'UTF-8'))
        hello = (Map) new JsonSlurperClassic().parseText(reader.readLine())
        Thread.startDaemon('answers') {
            String line
            while ((line = reader.readLine()) != null) {
                Map answer = (Map) new JsonSlurperClassic().parseText(line)
                waiting.remove(((Number) answer.id).longValue())?.complete(answer)
            }
            // The engine has ended, so nobody needs the results of this program.
            Runtime.runtime.halt(1)
        }
    }

    static synchronized void send(Map message) {
        out.print(JsonOutput.toJson(message) + '\n')
        out.flush()
    }

    /** Request a step from the engine and wait for its answer; throws the error of the answer. */
    static Object call(String name, Map arguments, String kind = 'call') {
        long id = last.incrementAndGet()
        def answer = new CompletableFuture<Map>()
        waiting.put(id, answer)
        send([id: id, kind: kind, context: context.get(), name: name, arguments: toPlain(arguments)])
        Map received
        try {
            received = answer.get()
        } catch (ExecutionException problem) {
            throw problem.cause
        }
        if (received.error) {
            throw makeThrowable((Map) received.error)
        }
        return received.value
    }

    /** Run a body within a block step; throws what the body throws, unless the engine has handled it. */
    static Object runBlock(String name, Map arguments, Closure body) {
        Map entered = (Map) call(name, arguments, 'enter')
        String before = context.get()
        context.set((String) entered.context)
        Throwable problem = null
        def result = null
        try {
            result = body.call()
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
        return problem == null ? result : null
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
                return new FlowInterruptedException((String) error.message, (String) error.result)
            case 'hudson.AbortException':
                return new AbortException((String) error.message)
            default:
                return new StepProblem((String) error.kind, (String) error.message)
        }
    }

    /** Describe an exception for the engine: its class, its message, the result of the build, and the lines of the Jenkinsfile. */
    static Map describe(Throwable problem) {
        def lines = problem.stackTrace.findAll { it.fileName == 'WorkflowScript' }.collect { "\tat ${it}".toString() }.take(12)
        String result = problem instanceof FlowInterruptedException ? problem.result.name : 'FAILURE'
        if (problem instanceof ExceptionInInitializerError && problem.cause != null) {
            return describe(problem.cause) + [trace: ['Caused: java.lang.ExceptionInInitializerError']]
        }
        String kind = problem instanceof StepProblem ? problem.kind : problem instanceof UnknownInSandbox ? UnknownInSandbox.KIND : problem.class.name
        // The message of a fault that was found before the run has its lines already.
        boolean isStructural = kind == 'org.codehaus.groovy.control.MultipleCompilationErrorsException'
        return [kind: kind, message: problem.message, result: result, trace: isStructural ? [] : lines]
    }

    /** Convert a value to what JSON can represent; every other object becomes its text. */
    static Object toPlain(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return value
        }
        if (value instanceof Map) {
            return value.collectEntries { key, entry -> [(key.toString()): toPlain(entry)] }
        }
        if (value instanceof Collection || value.class.array) {
            return value.collect { toPlain(it) }
        }
        return value.toString()
    }
}

/** The failure of a step whose Java class does not exist here. */
class StepProblem extends RuntimeException {
    final String kind

    StepProblem(String kind, String message) {
        super(message)
        this.kind = kind
    }
}
