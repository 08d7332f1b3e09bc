import groovy.transform.CompileStatic
import org.codehaus.groovy.runtime.InvokerHelper
import org.codehaus.groovy.runtime.ScriptBytecodeAdapter

import java.lang.reflect.Constructor

/** Casts and coercions. Groovy casts a list or a map to every class, by a constructor of the class; here only to known classes. */
@CompileStatic
class SandboxCasts {
    static final Set<String> SAFE = ['java.lang.Object', 'java.lang.String', 'groovy.lang.GString', 'java.lang.CharSequence', 'java.lang.Number',
        'java.lang.Integer', 'java.lang.Long', 'java.lang.Short', 'java.lang.Byte', 'java.lang.Double', 'java.lang.Float', 'java.lang.Character',
        'java.lang.Boolean', 'java.math.BigDecimal', 'java.math.BigInteger', 'java.util.List', 'java.util.Map', 'java.util.Set',
        'java.util.Collection', 'java.lang.Iterable', 'java.util.ArrayList', 'java.util.LinkedHashMap', 'java.util.HashMap',
        'java.util.LinkedHashSet', 'java.util.HashSet', 'java.util.TreeMap', 'java.util.TreeSet', 'java.util.LinkedList', 'java.util.SortedSet',
        'groovy.lang.Closure', 'java.util.Date'] as Set
    private static final Set<String> BY_CLOSURE = ['java.lang.Runnable', 'java.util.concurrent.Callable', 'java.util.Comparator'] as Set

    static boolean isSafe(Class type) {
        return type.isPrimitive() || SAFE.contains(type.name) || (type.array && isSafe(type.componentType))
    }

    static Object cast(Class type, Object value, boolean isCoercion) {
        boolean isPassed = value == null || type.isInstance(value) || isSafe(type)
        boolean isFunction = type.isInterface() && (BY_CLOSURE.contains(type.name) || SandboxMembers.isOwn(type)) && (value instanceof Closure || value instanceof Map)
        if (!isPassed && SandboxMembers.isOwn(type) && !type.isInterface() && (value instanceof List || value instanceof Map)) {
            return constructOwn(type, value instanceof List ? ((List) value).toArray() : [value] as Object[])
        }
        if (!isPassed && type.isEnum() && value instanceof CharSequence && SandboxRules.permitsStaticField(type, '')) {
            return Enum.valueOf((Class) type, value.toString())
        }
        if (!isPassed && !isFunction) {
            throw refuse(type, value)
        }
        return isCoercion ? ScriptBytecodeAdapter.asType(value, type) : ScriptBytecodeAdapter.castToType(value, type)
    }

    private static Throwable refuse(Class type, Object value) {
        if (type == Class) {
            return SandboxRules.makeRefusal('staticMethod java.lang.Class forName java.lang.String', true)
        }
        Object[] arguments = value instanceof Collection ? ((Collection) value).toArray() : [value] as Object[]
        Constructor constructor = type.isPrimitive() || type.array ? null : SandboxMembers.pickConstructor(type, arguments)
        if (constructor == null) {
            return new org.codehaus.groovy.runtime.typehandling.GroovyCastException(value, type)
        }
        return SandboxRules.makeRefusal(SandboxRules.renderSignature('new', type, '', constructor.parameterTypes as List<Class>),
            SandboxRules.isForeign(type) || SandboxRules.isRefused(type.name, 'new', 0))
    }

    /** Make an object of a class of the script; a map sets properties if no constructor takes a map. */
    static Object constructOwn(Class type, Object[] arguments) {
        if (arguments.length == 1 && arguments[0] instanceof Map && SandboxMembers.pickConstructor(type, arguments) == null) {
            Object instance = SandboxMembers.construct(type, [] as Object[])
            ((Map) arguments[0]).each { Object name, Object value -> SandboxProperties.write(instance, String.valueOf(name), value) }
            return instance
        }
        if (SandboxMembers.pickConstructor(type, arguments) == null) {
            throw new GroovyRuntimeException("Could not find matching constructor for: ${type.name}(${InvokerHelper.toTypeString(arguments)})".toString())
        }
        return SandboxMembers.construct(type, arguments)
    }
}
