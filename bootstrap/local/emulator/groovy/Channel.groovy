import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic
import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ExecutionException
import java.util.concurrent.atomic.AtomicLong

/** The line to the engine: one JSON object a line, answers told apart by id, so that branches may wait at the same time. */
class Channel {
    static PrintStream out
    static Map hello
    /** Where in the tree of blocks the current thread is; branches inherit it. */
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
            // The engine is gone: nobody is left to run anything for.
            Runtime.runtime.halt(1)
        }
    }

    static synchronized void send(Map message) {
        out.print(JsonOutput.toJson(message) + '\n')
        out.flush()
    }

    /** Do one thing there and wait for it. */
    static Object call(String name, Map arguments, String kind = 'call') {
        long id = last.incrementAndGet()
        def answer = new CompletableFuture<Map>()
        waiting.put(id, answer)
        send([id: id, kind: kind, context: context.get(), name: name, arguments: plain(arguments)])
        Map received
        try {
            received = answer.get()
        } catch (ExecutionException problem) {
            throw problem.cause
        }
        if (received.error) {
            throw raise((Map) received.error)
        }
        return received.value
    }

    /** Run a body inside a block step. */
    static Object block(String name, Map arguments, Closure body) {
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

    static Throwable unwrap(Throwable problem) {
        def found = problem
        while (found.cause != null && (found instanceof java.lang.reflect.UndeclaredThrowableException
                || found instanceof org.codehaus.groovy.runtime.InvokerInvocationException
                || found instanceof java.lang.reflect.InvocationTargetException)) {
            found = found.cause
        }
        return found
    }

    static Throwable raise(Map error) {
        switch (error.kind) {
            case 'org.jenkinsci.plugins.workflow.steps.FlowInterruptedException':
                return new FlowInterruptedException((String) error.message, (String) error.result)
            case 'hudson.AbortException':
                return new AbortException((String) error.message)
            default:
                return new StepProblem((String) error.kind, (String) error.message)
        }
    }

    static Map describe(Throwable problem) {
        def lines = problem.stackTrace.findAll { it.fileName == 'WorkflowScript' }.collect { "\tat ${it}".toString() }.take(12)
        String result = problem instanceof FlowInterruptedException ? problem.result.name : 'FAILURE'
        if (problem instanceof ExceptionInInitializerError && problem.cause != null) {
            return describe(problem.cause) + [trace: ['Caused: java.lang.ExceptionInInitializerError']]
        }
        String kind = problem instanceof StepProblem ? problem.kind : problem instanceof UnknownInSandbox ? UnknownInSandbox.KIND : problem.class.name
        // What was found before anything ran names its lines itself.
        boolean isStructural = kind == 'org.codehaus.groovy.control.MultipleCompilationErrorsException'
        return [kind: kind, message: problem.message, result: result, trace: isStructural ? [] : lines]
    }

    /** What JSON can hold; everything else by its text. */
    static Object plain(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return value
        }
        if (value instanceof Map) {
            return value.collectEntries { key, entry -> [(key.toString()): plain(entry)] }
        }
        if (value instanceof Collection || value.class.array) {
            return value.collect { plain(it) }
        }
        return value.toString()
    }
}

/** A failure of a step whose own Java class does not exist here. */
class StepProblem extends RuntimeException {
    final String kind

    StepProblem(String kind, String message) {
        super(message)
        this.kind = kind
    }
}
