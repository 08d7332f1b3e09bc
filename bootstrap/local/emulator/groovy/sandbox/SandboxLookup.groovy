import groovy.transform.CompileStatic

/** Finds names without an object within a closure: in its owner and its delegate, in the order of its resolve strategy. */
@CompileStatic
class SandboxLookup {
    private static final Set<String> OWN = ['getOwner', 'getDelegate', 'getThisObject', 'setDelegate', 'setResolveStrategy',
        'getResolveStrategy', 'call'] as Set

    private static List<Object> findTargets(Closure closure) {
        List<Object> direct
        switch (closure.resolveStrategy) {
            case Closure.DELEGATE_FIRST:
                direct = [closure.delegate, closure.owner]
                break
            case Closure.OWNER_ONLY:
                direct = [closure.owner]
                break
            case Closure.DELEGATE_ONLY:
                direct = [closure.delegate]
                break
            case Closure.TO_SELF:
                direct = []
                break
            default:
                direct = [closure.owner, closure.delegate]
        }
        List<Object> targets = []
        for (Object target in direct) {
            for (Object entry in (target instanceof Closure && !(target instanceof SandboxPointer) ? findTargets((Closure) target) : [target])) {
                if (entry != null && !targets.any { Object it -> it.is(entry) }) {
                    targets << entry
                }
            }
        }
        return targets
    }

    static Object call(Closure closure, String name, Object[] arguments) {
        if (OWN.contains(name)) {
            return SandboxGate.invoke(closure, name, arguments)
        }
        List<Object> targets = findTargets(closure)
        for (Object target in targets) {
            if (hasMethod(target, name, arguments)) {
                return SandboxGate.invoke(target, name, arguments)
            }
        }
        MissingMethodException first = null
        for (Object target in targets) {
            try {
                return SandboxGate.invoke(target, name, arguments)
            } catch (MissingMethodException problem) {
                if (problem.method != name) {
                    throw problem
                }
                first = first ?: problem
            }
        }
        throw first ?: new MissingMethodException(name, closure.class, arguments)
    }

    private static boolean hasMethod(Object target, String name, Object[] arguments) {
        if (target instanceof PipelineScript) {
            MetaMethod method = SandboxMembers.pick(target, name, arguments)
            return method != null && (SandboxMembers.isOwn(method) || method.declaringClass.theClass == PipelineScript)
        }
        if (SandboxGlobals.knows(target)) {
            return SandboxGlobals.hasWord(target, name)
        }
        if (target instanceof Class) {
            return SandboxMembers.pickStatic((Class) target, name, arguments) != null
        }
        return SandboxMembers.pick(target, name, arguments) != null
    }

    static Object read(Closure closure, String name) { readFrom(closure, name) }

    static Object readFrom(Closure closure, String name) {
        switch (name) {
            case 'owner':
                return closure.owner
            case 'delegate':
                return closure.delegate
            case 'thisObject':
                return closure.thisObject
            case 'resolveStrategy':
                return closure.resolveStrategy
            case 'maximumNumberOfParameters':
                return closure.maximumNumberOfParameters
            case 'parameterTypes':
                return closure.parameterTypes
            case 'class':
                return closure.class
            case 'metaClass':
                throw SandboxRules.makeRefusal('method groovy.lang.GroovyObject getMetaClass', true)
        }
        MissingPropertyException first = null
        for (Object target in findTargets(closure)) {
            try {
                return SandboxProperties.read(target, name)
            } catch (MissingPropertyException problem) {
                first = first ?: problem
            }
        }
        throw first ?: new MissingPropertyException(name, closure.class)
    }

    static void write(Closure closure, String name, Object value) { writeTo(closure, name, value) }

    static void writeTo(Closure closure, String name, Object value) {
        switch (name) {
            case 'delegate':
                closure.delegate = value
                return
            case 'resolveStrategy':
                closure.resolveStrategy = value as int
                return
            case 'metaClass':
                throw SandboxRules.makeRefusal('method groovy.lang.GroovyObject setMetaClass groovy.lang.MetaClass', true)
            case 'directive':
            case 'owner':
            case 'thisObject':
                throw new UnknownInSandbox("setting ${name} of a closure".toString())
        }
        MissingPropertyException first = null
        for (Object target in findTargets(closure)) {
            try {
                SandboxProperties.write(target, name, value)
                return
            } catch (MissingPropertyException problem) {
                first = first ?: problem
            }
        }
        throw first ?: new MissingPropertyException(name, closure.class)
    }
}
