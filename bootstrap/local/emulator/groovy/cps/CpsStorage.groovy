import groovy.transform.CompileStatic

/** Finds what Jenkins could not store of the running program, and how the program holds it. */
@CompileStatic
class CpsStorage {
    private static final String IMPLEMENTATION = 'com.cloudbees.groovy.cps.impl'
    private static final String PLUGIN = 'org.jenkinsci.plugins.workflow.cps'

    /** Describe an object of the program that Jenkins could not store, as the exception that it throws; null if there is none. */
    static Throwable findFailure() {
        List<Thread> threads = CpsState.CURRENT.keySet().sort { Thread it -> it.id }
        for (Thread thread in threads) {
            List<CpsFrame> chain = listChain(CpsState.CURRENT[thread], false)
            for (CpsFrame holder in chain) {
                CpsFinding found = findIn(holder, chain)
                if (found != null) {
                    List<String> lines = found.lines + describeHolder(holder, found, chain, listCalls(thread))
                    return new StepProblem('java.io.NotSerializableException', found.type,
                        [[kind: null, message: "an exception which occurred:\n\t${lines.join('\n\t')}".toString()] as Map])
                }
            }
        }
        return null
    }

    /** List the frames around one, the outermost first: those that called it, or those in which it is written. */
    private static List<CpsFrame> listChain(CpsFrame innermost, boolean isWritten) {
        List<CpsFrame> chain = []
        for (CpsFrame entry = innermost; entry != null; entry = isWritten ? entry.scope : entry.caller) {
            chain.add(0, entry)
        }
        return chain
    }

    private static CpsFinding findIn(CpsFrame frame, List<CpsFrame> running) {
        CpsFinding found = findLocal(frame, running)
        if (found == null && frame.kind in ['loop', 'each', 'method of Groovy']) {
            found = findUnstorable(frame.held, [] as Set, running)
            found?.isHeld = true
        }
        return found
    }

    private static CpsFinding findLocal(CpsFrame frame, List<CpsFrame> running) {
        for (Object value in frame.locals.values()) {
            CpsFinding found = findUnstorable(value, [] as Set, running)
            if (found != null) {
                return found
            }
        }
        return null
    }

    /** Find the class of an object that Java cannot serialise, within a value. */
    private static CpsFinding findUnstorable(Object value, Set<Integer> seen, List<CpsFrame> running) {
        if (value == null || value instanceof CharSequence || value instanceof Number || value instanceof Boolean) {
            return null
        }
        if (value instanceof PipelineScript || value instanceof Class || SandboxGlobals.knows(value) || !seen.add(System.identityHashCode(value))) {
            return null
        }
        if (value instanceof Closure) {
            return findCaptured((Closure) value, running)
        }
        if (SandboxMembers.isOwn(value.class)) {
            return null
        }
        if (!(value instanceof Serializable)) {
            return new CpsFinding(value.class.name)
        }
        Collection parts = value instanceof Map ? ((Map) value).keySet() + ((Map) value).values() :
            value instanceof Collection ? (Collection) value : value instanceof Object[] ? Arrays.asList((Object[]) value) : []
        for (Object part in parts) {
            CpsFinding found = findUnstorable(part, seen, running)
            if (found != null) {
                return found
            }
        }
        return null
    }

    /** Find what a closure holds of code that has ended. */
    private static CpsFinding findCaptured(Closure closure, List<CpsFrame> running) {
        List<CpsFrame> written = listChain(CpsState.scopeOf(closure), true)
        for (CpsFrame frame in written) {
            if (running.any { CpsFrame it -> it.is(frame) }) {
                continue
            }
            CpsFinding found = findIn(frame, running + written)
            if (found != null) {
                List<String> lines = found.lines + describeSlot(frame, found, '')
                int index = written.findIndexOf { CpsFrame it -> it.is(frame) }
                addBlocks(lines, frame, index + 1 < written.size() ? written[index + 1] : null)
                for (CpsFrame inner in written.drop(index + 1)) {
                    lines.addAll([field(implementation('ProxyEnv.parent')), object(kindOf(inner))])
                }
                lines.addAll([field(implementation('CpsClosureDef.capture')), object(implementation('CpsClosureDef'))])
                lines.addAll([field(implementation('CpsClosure.def')), object("${PLUGIN}.CpsClosure2")])
                def outer = new CpsFinding(found.type)
                outer.lines.addAll(lines)
                return outer
            }
        }
        return null
    }

    // The path by which the program holds it

    private static String field(String name) { "in field ${name}".toString() }

    private static String object(String name) { "in object ${name}@${Integer.toHexString(new Random().nextInt() | 0x10000000)}".toString() }

    private static String implementation(String name) { "${IMPLEMENTATION}.${name}".toString() }

    /** List the calls of the Jenkinsfile that a thread runs, the innermost first, as Jenkins writes them. */
    private static List<String> listCalls(Thread thread) {
        List<String> calls = []
        for (StackTraceElement entry in thread.stackTrace) {
            if (entry.fileName == 'WorkflowScript' && entry.lineNumber > 0 && !(entry.methodName in ['call', 'callCurrent'])) {
                java.util.regex.Matcher closure = entry.className =~ '^(.*?)[$]_(.+?)_closure'
                String name = closure.find() ? "${closure.group(1)}.${closure.group(2)}" : "${entry.className}.${entry.methodName}"
                calls << "@${name}(WorkflowScript:${entry.lineNumber})".toString()
            }
        }
        return calls
    }

    private static List<String> describeHolder(CpsFrame holder, CpsFinding found, List<CpsFrame> chain, List<String> calls) {
        int index = chain.findIndexOf { CpsFrame it -> it.is(holder) }
        List<CpsFrame> inner = chain.drop(index + 1)
        // The calls are listed from the innermost; the running frames of methods and closures within the holder have one each.
        int within = inner.count { CpsFrame it -> it.kind in ['method', 'closure'] } as int
        String at = calls[holder.kind in ['method', 'closure'] ? within + 1 : within] ?: ''
        List<String> lines = describeSlot(holder, found, at)
        climb(lines, inner, holder, calls)
        return lines
    }

    /** Describe where a frame holds what was found. */
    private static List<String> describeSlot(CpsFrame holder, CpsFinding found, String at) {
        List<String> lines = []
        if (holder.kind == 'loop' && found.isHeld) {
            for (String type in ["${PLUGIN}.persistence.IteratorHack\$Itr.list".toString(), implementation('ForInLoopBlock$ContinuationImpl.itr'),
                    implementation('ContinuationPtr$ContinuationImpl.target')]) {
                lines.addAll([field(type), object(type.substring(0, type.lastIndexOf('.')))])
            }
            lines.addAll([field(implementation('LoopBlockScopeEnv.continue_')), object(kindOf(holder))])
        } else if (holder.kind in ['method', 'closure', 'each', 'method of Groovy']) {
            String env = holder.kind == 'closure' ? kindOf(holder) : implementation('FunctionCallEnv')
            lines.addAll([field("${env}.locals"), object(env) + ' ' + at])
        } else {
            lines.addAll([field(implementation('BlockScopeEnv.locals')), object(kindOf(holder))])
        }
        return lines
    }

    private static String kindOf(CpsFrame frame) {
        switch (frame.kind) {
            case 'loop': return implementation('LoopBlockScopeEnv')
            case 'method': return implementation('FunctionCallEnv')
            case 'closure': return implementation('ClosureCallEnv')
            default: return implementation('BlockScopeEnv')
        }
    }

    /** Add the way from the holder to the call of the step at which the thread waits. */
    private static void climb(List<String> lines, List<CpsFrame> inner, CpsFrame holder, List<String> calls) {
        List<CpsFrame> rest = inner.takeWhile { CpsFrame it -> it.kind != 'body' }
        int remaining = inner.count { CpsFrame it -> it.kind in ['method', 'closure'] } as int
        CpsFrame before = holder
        int number = 0
        addBlocks(lines, before, rest ? rest[0] : null)
        for (CpsFrame frame in rest) {
            if (before.kind == 'each' && frame.kind == 'closure') {
                addEach(lines)
            }
            if (frame.kind in ['method', 'closure']) {
                String at = before.kind == 'each' ? "@${EACH}(CpsDefaultGroovyMethods:2125)" : (calls[remaining] ?: '')
                lines.addAll([field(implementation('CallEnv.caller')), object(kindOf(frame)) + ' ' + at])
                remaining--
            } else if (!(frame.kind in ['each', 'method of Groovy'])) {
                lines.addAll([field(implementation('ProxyEnv.parent')), object(kindOf(frame))])
            }
            number++
            addBlocks(lines, frame, number < rest.size() ? rest[number] : null)
            before = frame
        }
        lines.addAll([field(implementation('CallEnv.caller')), object(implementation('FunctionCallEnv')) + ' ' + (calls[remaining] ?: '')])
        lines.addAll([field('com.cloudbees.groovy.cps.Continuable.e'), object("${PLUGIN}.SandboxContinuable"), field("${PLUGIN}.CpsThread.program")])
        CpsFrame body = before
        while (body != null && body.kind != 'body') {
            body = body.caller
        }
        lines.addAll([object("Thread #${body?.thread ?: 0} "), field("${PLUGIN}.CpsThreadGroup.threads")])
        lines.addAll([object("${PLUGIN}.CpsThreadGroup"), object("${PLUGIN}.CpsThreadGroup")])
    }

    private static final String EACH = 'com.cloudbees.groovy.cps.CpsDefaultGroovyMethods.each'

    /** Methods, closures and loops have two blocks around their code, of which the inner one may be a frame of its own. */
    private static void addBlocks(List<String> lines, CpsFrame frame, CpsFrame next) {
        if (frame.kind in ['method', 'closure', 'loop']) {
            int count = next != null && next.kind == 'block' ? 1 : 2
            count.times { lines.addAll([field(implementation('ProxyEnv.parent')), object(implementation('BlockScopeEnv'))]) }
        }
    }

    /** Groovy's `each` of a list in the form in which Jenkins has rewritten it: three methods that call each other. */
    private static void addEach(List<String> lines) {
        List<String> block = [field(implementation('ProxyEnv.parent')), object(implementation('BlockScopeEnv'))]
        for (int line in [2151, 2110]) {
            lines.addAll(block)
            lines.addAll([field(implementation('CallEnv.caller')), object(implementation('FunctionCallEnv')) + " @${EACH}(CpsDefaultGroovyMethods:${line})".toString()])
        }
        lines.addAll(block)
        lines.addAll([field(implementation('ProxyEnv.parent')), object(implementation('LoopBlockScopeEnv'))])
        lines.addAll(block)
    }
}

/** An object that cannot be stored: its class, and the way from it to the variable that holds it. */
@CompileStatic
class CpsFinding {
    final String type
    final List<String> lines = []
    /** Whether a loop or a method of Groovy holds it, and no variable. */
    boolean isHeld

    CpsFinding(String type) { this.type = type }
}
