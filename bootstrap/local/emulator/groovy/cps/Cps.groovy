import groovy.transform.CompileStatic
import org.codehaus.groovy.runtime.InvokerHelper

/** The code of Jenkinsfile that Java's or Groovy's own code calls: Jenkins cannot run it there, and runs it instead of the outer call. */
@CompileStatic
class CpsInvocation extends Error {
    final String receiver, name
    final transient Object target
    final transient Object[] arguments

    CpsInvocation(Object target, String name, Object[] arguments) {
        super("${name} outside of the program".toString(), null, false, false)
        this.target = target
        this.name = name
        this.arguments = arguments
        this.receiver = Cps.nameOf(target)
    }

    Object run() {
        return target instanceof Closure ? InvokerHelper.invokeClosure(target, arguments) : InvokerHelper.invokeMethod(target, name, arguments)
    }
}

/** What limits the code of a Jenkinsfile in Jenkins, which rewrites it so that it can be stored at every step. */
@CompileStatic
class Cps {
    /** How deep calls may be nested. */
    private static final int DEPTH = 1025
    private static final String SEE = 'https://jenkins.io/redirect/pipeline-cps-method-mismatches/'
    /** The methods of Groovy that Jenkins has rewritten, too, so that they can call closures of a Jenkinsfile. */
    private static final Set<String> REWRITTEN = ['addShutdownHook', 'any', 'collect', 'collectEntries', 'collectMany', 'collectNested',
        'collectReplacements', 'combinations', 'count', 'countBy', 'downto', 'each', 'eachByte', 'eachCombination', 'eachMatch',
        'eachPermutation', 'eachWithIndex', 'every', 'find', 'findAll', 'findIndexOf', 'findIndexValues', 'findLastIndexOf', 'findResult',
        'findResults', 'flatten', 'groupBy', 'groupEntriesBy', 'identity', 'inject', 'max', 'min', 'permutations', 'removeAll', 'replaceAll',
        'replaceFirst', 'retainAll', 'reverseEach', 'sort', 'split', 'step', 'sum', 'times', 'toSorted', 'unique', 'upto', 'use', 'with',
        'withDefault', 'withEagerDefault', 'withLazyDefault'] as Set
    private static final ThreadLocal<Boolean> isForeign = new ThreadLocal<Boolean>()

    /** Begin a method of the Jenkinsfile. */
    static void enterMethod(Object target, String name, List names, List values) {
        check(target, name, values)
        CpsState.enter('method', null, names, values)
        if (CpsState.depth() > DEPTH) {
            CpsState.leave()
            throw new StackOverflowError("Excessively nested closures/functions at WorkflowScript.${name}(WorkflowScript:${CpsState.line()}) - look for unbounded recursion - call depth: ${DEPTH}".toString())
        }
    }

    /** Begin a closure of the Jenkinsfile. */
    static void enterClosure(Closure closure, List names, List values) {
        check(closure, 'call', values)
        CpsState.enter('closure', closure, names, values)
    }

    private static void check(Object target, String name, List values) {
        if (isForeign.get()) {
            throw new CpsInvocation(target, name, values.toArray())
        }
    }

    /** Call a method: one of the Jenkinsfile, one of Groovy that Jenkins has rewritten, or a foreign one. */
    static Object call(MetaMethod method, Object receiver, Object[] arguments) {
        if (SandboxMembers.isOwn(method) && !isExempt(method)) {
            return SandboxMembers.invoke(method, receiver, arguments)
        }
        // `sort` of a list with a closure is Java's own method.
        boolean isJava = method.name == 'sort' && receiver instanceof List && arguments.length == 1
        if (isRewritten(method) && !isJava && !isForeign.get() && arguments.any { it instanceof Closure }) {
            return CpsState.iterate(receiver, method.name) { SandboxMembers.invoke(method, receiver, arguments) }
        }
        return callForeign(receiver, method.name) { SandboxMembers.invoke(method, receiver, arguments) }
    }

    /** Whether a method of the Jenkinsfile has the annotation @NonCPS. */
    private static boolean isExempt(MetaMethod method) {
        return ((org.codehaus.groovy.reflection.CachedMethod) method).cachedMethod.isAnnotationPresent(com.cloudbees.groovy.cps.NonCPS)
    }

    static boolean isRewritten(MetaMethod method) { !SandboxMembers.isNative(method) && REWRITTEN.contains(method.name) }

    /** Call something that is no code of the Jenkinsfile; what that calls of the Jenkinsfile takes its place. */
    static Object callForeign(Object receiver, String name, Closure call) {
        Boolean before = isForeign.get()
        isForeign.set(true)
        try {
            return call.call()
        } catch (CpsInvocation found) {
            if (before) {
                throw found
            }
            isForeign.set(null)
            if (found.name != name) {
                String expected = "${nameOf(receiver)}.${name}".toString()
                Channel.call('_line', [text: "expected to call ${expected} but wound up catching ${found.receiver}.${found.name}; see: ${SEE}".toString()])
            }
            return found.run()
        } finally {
            isForeign.set(before)
        }
    }

    static String nameOf(Object target) {
        if (target instanceof Closure) {
            return 'org.jenkinsci.plugins.workflow.cps.CpsClosure2'
        }
        return target instanceof Class ? ((Class) target).name : target.class.name
    }
}
