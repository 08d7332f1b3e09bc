import groovy.transform.CompileStatic
import org.codehaus.groovy.runtime.InvokerHelper
import org.codehaus.groovy.runtime.NullObject

import java.lang.reflect.Constructor

/** A sandboxed script makes every call through this class: it chooses the method, checks it, and then calls it. */
@CompileStatic
class SandboxGate {
    private static final Set<String> ON_NULL = ['toString', 'equals', 'is', 'iterator', 'plus', 'asBoolean', 'with', 'each', 'collect',
        'find', 'findAll', 'any', 'every'] as Set
    private static final Set<String> OF_CLOSURE = ['call', 'doCall', 'getOwner', 'getDelegate', 'getThisObject', 'setDelegate',
        'setResolveStrategy', 'getResolveStrategy', 'curry', 'ncurry'] as Set

    static Object[] toArguments(Object arguments) {
        return arguments instanceof Object[] ? (Object[]) arguments : arguments instanceof Collection ? ((Collection) arguments).toArray() : [arguments] as Object[]
    }

    /** Find the running closure; `wrapper` is the result of its `asWritable()`. */
    static Closure findClosure(Object wrapper) { (Closure) ((Closure) wrapper).owner }

    // Calls

    static Object callMethod(Object receiver, boolean isSafe, boolean isSpread, Object name, Object arguments) {
        if (isSpread) {
            return receiver == null ? null : InvokerHelper.asIterator(receiver).collect { Object it -> callMethod(it, true, false, name, arguments) }
        }
        if (receiver == null && isSafe) {
            return null
        }
        return invoke(receiver, String.valueOf(name), toArguments(arguments))
    }

    /** Call a method without an object, within a closure. */
    static Object callImplicit(Closure closure, Object name, Object arguments) {
        return SandboxLookup.call(closure, String.valueOf(name), toArguments(arguments))
    }

    static Object callStatic(Class type, String name, Object arguments) { invoke(type, name, toArguments(arguments)) }

    static Object invoke(Object receiver, String name, Object[] arguments) {
        if (receiver == null) {
            return callOnNull(name, arguments)
        }
        if (receiver instanceof Class) {
            return SandboxStatics.call((Class) receiver, name, arguments)
        }
        if (receiver instanceof Closure) {
            return callOnClosure((Closure) receiver, name, arguments)
        }
        if (receiver instanceof PipelineScript) {
            return SandboxGlobals.callOnScript((PipelineScript) receiver, name, arguments)
        }
        if (receiver instanceof GString) {
            return callOnText((GString) receiver, name, arguments)
        }
        if (SandboxGlobals.knows(receiver)) {
            return SandboxGlobals.call(receiver, name, arguments)
        }
        return callOnObject(receiver, name, arguments)
    }

    private static Object callOnNull(String name, Object[] arguments) {
        if (!ON_NULL.contains(name)) {
            throw new NullPointerException("Cannot invoke method ${name}() on null object".toString())
        }
        return InvokerHelper.invokeMethod(NullObject.nullObject, name, arguments)
    }

    private static Object callOnText(GString text, String name, Object[] arguments) {
        MetaMethod method = name == 'asType' ? null : SandboxMembers.pick(text, name, arguments)
        if (method != null && SandboxRules.permits(text.class, method)) {
            return Cps.call(method, text, arguments)
        }
        return callOnObject(text.toString(), name, arguments)
    }

    static Object callOnObject(Object receiver, String name, Object[] arguments) {
        if (name == 'asType' && arguments.length == 1 && arguments[0] instanceof Class) {
            return SandboxCasts.cast((Class) arguments[0], receiver, true)
        }
        // Groovy would read and write properties of these names without the gate.
        if (receiver instanceof Map && name == 'getAt' && arguments.length == 1) {
            return ((Map) receiver).get(toKey(arguments[0]))
        }
        if (receiver instanceof Map && name == 'putAt' && arguments.length == 2) {
            return ((Map) receiver).put(toKey(arguments[0]), arguments[1])
        }
        if (name == 'getAt' && arguments.length == 1 && arguments[0] instanceof CharSequence && receiver instanceof Collection) {
            return SandboxProperties.read(receiver, String.valueOf(arguments[0]))
        }
        MetaMethod method = SandboxMembers.pick(receiver, name, arguments)
        if (method == null) {
            Object[] unpacked = SandboxMembers.unpack(arguments)
            method = unpacked == null ? null : SandboxMembers.pick(receiver, name, unpacked)
            if (method == null) {
                return callMissing(receiver, name, arguments)
            }
            arguments = unpacked
        }
        check(receiver, method, arguments)
        if (name == 'with' && arguments.length == 1 && arguments[0] instanceof Closure) {
            // In Jenkins' sandbox the names within the closure belong to the script, not to the object.
            return InvokerHelper.invokeClosure(arguments[0], [receiver] as Object[])
        }
        return Cps.call(method, receiver, arguments)
    }

    /** A text that Groovy composes is a key as the text that it is, as in Jenkins' sandbox. */
    private static Object toKey(Object key) { key instanceof GString ? key.toString() : key }

    private static void check(Object receiver, MetaMethod method, Object[] arguments) {
        if (!SandboxMembers.isOwn(method) && !SandboxRules.permits(receiver.class, method)) {
            throw SandboxRules.refuseMethod(receiver, method, arguments)
        }
    }

    /** Call what Groovy calls instead of a missing method: a closure of that name, or a methodMissing of the script's own class. */
    private static Object callMissing(Object receiver, String name, Object[] arguments) {
        if (receiver instanceof Map && ((Map) receiver).get(name) instanceof Closure) {
            return InvokerHelper.invokeClosure(((Map) receiver).get(name), arguments)
        }
        if (SandboxMembers.isOwn(receiver.class)) {
            MetaMethod missing = SandboxMembers.pick(receiver, 'methodMissing', [name, arguments] as Object[])
            if (missing != null && SandboxMembers.isOwn(missing)) {
                return SandboxMembers.invoke(missing, receiver, [name, arguments] as Object[])
            }
            Object held = SandboxProperties.readOwn(receiver, name)
            if (held instanceof Closure) {
                return InvokerHelper.invokeClosure(held, arguments)
            }
        }
        throw new MissingMethodException(name, receiver.class, arguments)
    }

    private static Object callOnClosure(Closure closure, String name, Object[] arguments) {
        if (name == 'call' || name == 'doCall') {
            return InvokerHelper.invokeClosure(closure, arguments)
        }
        if (OF_CLOSURE.contains(name)) {
            return SandboxMembers.invoke(SandboxMembers.pick(closure, name, arguments) ?: throwMissing(closure, name, arguments), closure, arguments)
        }
        MetaMethod method = SandboxMembers.pick(closure, name, arguments)
        if (method == null) {
            return SandboxLookup.call(closure, name, arguments)
        }
        if (!SandboxRules.permits(Closure, method)) {
            throw SandboxRules.refuseMethod(closure, method, arguments)
        }
        return SandboxMembers.invoke(method, closure, arguments)
    }

    private static MetaMethod throwMissing(Object receiver, String name, Object[] arguments) {
        throw new MissingMethodException(name, receiver.class, arguments)
    }

    // Objects

    static Object construct(Class type, Object given) {
        Object[] arguments = toArguments(given)
        if (SandboxMembers.isOwn(type)) {
            return SandboxCasts.constructOwn(type, arguments)
        }
        Constructor constructor = SandboxMembers.pickConstructor(type, arguments)
        if (constructor == null) {
            String types = arguments.collect { Object it -> it == null ? 'null' : SandboxRules.typeName(it.class) }.join(' ')
            throw new SecurityException("Unable to find constructor: new ${type.name} ${types}".toString().trim())
        }
        if (!SandboxRules.permitsNew(type)) {
            boolean isKnown = SandboxRules.isForeign(type) || SandboxRules.isRefused(type.name, 'new', 0)
            throw SandboxRules.makeRefusal(SandboxRules.renderSignature('new', type, '', constructor.parameterTypes as List<Class>), isKnown)
        }
        return SandboxMembers.construct(type, arguments)
    }

    static Object castTo(Class type, Object value, boolean isCoercion) { SandboxCasts.cast(type, value, isCoercion) }

    static Closure pointTo(Object receiver, Object name) { new SandboxPointer(receiver, String.valueOf(name)) }

    // Properties

    static Object readProperty(Object receiver, boolean isSafe, boolean isSpread, Object name) {
        if (isSpread) {
            return receiver == null ? null : InvokerHelper.asIterator(receiver).collect { Object it -> readProperty(it, true, false, name) }
        }
        return receiver == null && isSafe ? null : SandboxProperties.read(receiver, String.valueOf(name))
    }

    static Object writeProperty(Object receiver, boolean isSafe, boolean isSpread, Object name, Object value) {
        if (isSpread) {
            InvokerHelper.asIterator(receiver).each { Object it -> SandboxProperties.write(it, String.valueOf(name), value) }
        } else if (receiver != null || !isSafe) {
            SandboxProperties.write(receiver, String.valueOf(name), value)
        }
        return value
    }

    static Object readImplicit(Closure closure, String name) { SandboxLookup.read(closure, name) }

    static Object writeImplicit(Closure closure, String name, Object value) {
        SandboxLookup.write(closure, name, value)
        return value
    }

    static Object readAttribute(Object receiver, boolean isSafe, Object name) {
        return receiver == null && isSafe ? null : SandboxProperties.readField(receiver, String.valueOf(name))
    }

    static Object writeAttribute(Object receiver, Object name, Object value) {
        SandboxProperties.writeField(receiver, String.valueOf(name), value)
        return value
    }

    // Operators

    static Object operate(String method, Object left, Object right) {
        if (method == 'getAt' && left != null && left.class.array && !(right instanceof CharSequence)) {
            return InvokerHelper.invokeMethod(left, 'getAt', [right] as Object[])
        }
        return invoke(left, method, [right] as Object[])
    }

    static Object writeIndex(Object receiver, Object index, Object value) {
        if (receiver != null && receiver.class.array) {
            // Groovy casts the value to the type of the array's elements.
            SandboxCasts.cast(receiver.class.componentType, value, false)
            InvokerHelper.invokeMethod(receiver, 'putAt', [index, value] as Object[])
            return value
        }
        invoke(receiver, 'putAt', [index, value] as Object[])
        return value
    }

    static Object operateUnary(String method, Object value) { invoke(value, method, [] as Object[]) }

    /** Run `place op= value`, `place++` and similar, for places that are no local variables. */
    static Object change(String kind, Object receiver, Object key, String method, Object value, boolean isPostfix) {
        Object before
        switch (kind) {
            case 'index':
                before = operate('getAt', receiver, key)
                break
            case 'implicit':
                before = SandboxLookup.read((Closure) receiver, (String) key)
                break
            case 'attribute':
                before = SandboxProperties.readField(receiver, String.valueOf(key))
                break
            default:
                before = SandboxProperties.read(receiver, String.valueOf(key))
        }
        Object after = method == 'next' || method == 'previous' ? operateUnary(method, before) : operate(method, before, value)
        switch (kind) {
            case 'index':
                writeIndex(receiver, key, after)
                break
            case 'implicit':
                SandboxLookup.write((Closure) receiver, (String) key, after)
                break
            case 'attribute':
                SandboxProperties.writeField(receiver, String.valueOf(key), after)
                break
            default:
                SandboxProperties.write(receiver, String.valueOf(key), after)
        }
        return isPostfix ? before : after
    }

    /** Fail as `assert` does in Jenkins: without the values of its parts. */
    static void failAssertion(String text, Object message) {
        if (message == null || message == '') {
            throw new org.codehaus.groovy.runtime.powerassert.PowerAssertionError(text)
        }
        throw new AssertionError((Object) "${message}. Expression: ${text}".toString())
    }

    /** Refuse an enumeration when it is initialised, as Jenkins' sandbox does. */
    static void refuseEnumeration() { throw SandboxRules.makeRefusal('new java.util.LinkedHashMap', true) }
}

/** `object.&name`: a call through the gate. */
@CompileStatic
class SandboxPointer extends Closure {
    private final Object receiver
    private final String name

    SandboxPointer(Object receiver, String name) {
        super(receiver)
        this.receiver = receiver
        this.name = name
    }

    Object doCall(Object... arguments) { SandboxGate.invoke(receiver, name, arguments) }
}
