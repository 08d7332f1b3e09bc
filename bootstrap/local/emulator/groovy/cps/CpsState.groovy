import groovy.transform.CompileStatic

import java.util.concurrent.ConcurrentHashMap

/** A part of the program that runs: a method, a closure, a block, a loop, or the body of a step. */
@CompileStatic
class CpsFrame {
    final String kind
    /** The frame in which the code is written. */
    final CpsFrame scope
    /** The frame that was running before. */
    final CpsFrame caller
    final int depth
    final Map<String, Object> locals = [:]
    /** The object over which a loop runs, or of which a method of Groovy calls a closure. */
    Object held
    /** The number of the thread of Jenkins that runs the body of a step. */
    int thread

    CpsFrame(String kind, CpsFrame scope, CpsFrame caller) {
        this.kind = kind
        this.scope = scope
        this.caller = caller
        this.depth = (caller == null ? 0 : caller.depth) + (kind == 'method' || kind == 'closure' ? 1 : 0)
    }
}

/** The state of the program that Jenkins stores at a step: which objects its variables and loops hold. */
@CompileStatic
class CpsState {
    /** The running frame of each thread. */
    static final Map<Thread, CpsFrame> CURRENT = new ConcurrentHashMap<Thread, CpsFrame>()
    private static final Map<Closure, CpsFrame> WRITTEN = Collections.synchronizedMap(new WeakHashMap<Closure, CpsFrame>())
    private static int threads = 0

    static CpsFrame current() { CURRENT[Thread.currentThread()] }

    private static void set(CpsFrame frame) {
        if (frame == null) {
            CURRENT.remove(Thread.currentThread())
        } else {
            CURRENT[Thread.currentThread()] = frame
        }
    }

    static int depth() { current()?.depth ?: 0 }

    static int line() {
        for (StackTraceElement entry in Thread.currentThread().stackTrace) {
            if (entry.fileName == 'WorkflowScript') {
                return entry.lineNumber
            }
        }
        return 1
    }

    static Closure remember(Closure closure) {
        CpsFrame frame = current()
        if (frame != null) {
            WRITTEN[closure] = frame
        }
        return closure
    }

    static CpsFrame scopeOf(Closure closure) { WRITTEN[closure] }

    static void enter(String kind, Closure closure, List names, List values) {
        CpsFrame caller = current()
        CpsFrame frame = new CpsFrame(kind, closure == null ? null : WRITTEN[closure] ?: caller, caller)
        names.eachWithIndex { Object name, int index -> frame.locals[(String) name] = values[index] }
        set(frame)
    }

    /** End the running method or closure. */
    static void leave() { leaveTo(['method', 'closure']) }

    private static void leaveTo(List<String> kinds) {
        CpsFrame frame = current()
        while (frame != null && !kinds.contains(frame.kind)) {
            frame = frame.caller
        }
        set(frame?.caller)
    }

    static void openBlock() {
        CpsFrame caller = current()
        set(new CpsFrame('block', caller, caller))
    }

    static void closeBlock() { leaveTo(['block']) }

    static Object openLoop(Object values) {
        CpsFrame caller = current()
        CpsFrame frame = new CpsFrame('loop', caller, caller)
        frame.held = values
        set(frame)
        return values
    }

    static void closeLoop() { leaveTo(['loop']) }

    /** Hold the receiver of a method of Groovy that calls a closure, while it runs. */
    static Object iterate(Object receiver, String name, Closure call) {
        CpsFrame caller = current()
        CpsFrame frame = new CpsFrame(name == 'each' ? 'each' : 'method of Groovy', caller, caller)
        frame.held = receiver
        set(frame)
        try {
            return call.call()
        } finally {
            set(caller)
        }
    }

    /** Run the body of a step: Jenkins runs it in a thread of its own. */
    static Object runBody(CpsFrame caller, Closure body) {
        CpsFrame before = current()
        CpsFrame frame = new CpsFrame('body', caller, caller)
        frame.thread = ++threads
        set(frame)
        try {
            return body.call()
        } finally {
            set(before)
        }
    }

    static Object declare(String name, Object value) {
        current()?.locals?.put(name, value)
        return value
    }

    /** Note the new value of a variable, where it was declared. */
    static Object keep(String name, Object value) {
        for (CpsFrame frame = current(); frame != null; frame = frame.scope) {
            if (frame.locals.containsKey(name)) {
                frame.locals[name] = value
                return value
            }
        }
        return value
    }
}
