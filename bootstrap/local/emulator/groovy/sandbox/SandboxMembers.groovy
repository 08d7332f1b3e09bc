import groovy.transform.CompileStatic
import org.codehaus.groovy.reflection.CachedMethod
import org.codehaus.groovy.runtime.InvokerHelper
import org.codehaus.groovy.runtime.InvokerInvocationException
import org.codehaus.groovy.runtime.MetaClassHelper

import java.lang.reflect.Constructor
import java.lang.reflect.Modifier

/** Picks the member that Groovy itself would use. The gate checks this member and then uses it, so no other one can replace it. */
@CompileStatic
class SandboxMembers {
    // Groovy adds these to every class; a script cannot define its own (see SandboxShape).
    private static final Set<String> GENERATED = ['getMetaClass', 'setMetaClass', 'invokeMethod', 'getProperty', 'setProperty', 'main'] as Set

    /** Whether the script itself defines a class. */
    static boolean isOwn(Class type) { type.classLoader instanceof GroovyClassLoader }

    /** Whether the script itself defines a method; the calls in it go through the gate. */
    static boolean isOwn(MetaMethod method) {
        method instanceof CachedMethod && isOwn(method.declaringClass.theClass) && !GENERATED.contains(method.name) && !method.name.contains('$')
    }

    /** Whether the class itself has a method; otherwise Groovy adds it. */
    static boolean isNative(MetaMethod method) { method instanceof CachedMethod }

    static MetaMethod pick(Object receiver, String name, Object[] arguments) {
        return InvokerHelper.getMetaClass(receiver).pickMethod(name, MetaClassHelper.convertToTypeArray(arguments))
    }

    /** Unpack a list into arguments, as Groovy does if no method takes the list; null if the only argument is no list. */
    static Object[] unpack(Object[] arguments) {
        return arguments.length == 1 && arguments[0] instanceof List ? ((List) arguments[0]).toArray() : null
    }

    static MetaMethod pickStatic(Class type, String name, Object[] arguments) {
        MetaClass meta = InvokerHelper.getMetaClass(type)
        MetaMethod method = meta.getStaticMetaMethod(name, arguments)
        return method != null && method.isStatic() ? method : null
    }

    static Constructor pickConstructor(Class type, Object[] arguments) {
        MetaClass meta = InvokerHelper.getMetaClass(type)
        if (!(meta instanceof MetaClassImpl) || Modifier.isAbstract(type.modifiers) || type.isInterface()) {
            return null
        }
        return ((MetaClassImpl) meta).retrieveConstructor(MetaClassHelper.convertToTypeArray(arguments))
    }

    /** Pick the method that reads a property; null if there is none. */
    static MetaMethod pickGetter(Object receiver, String name) {
        Object[] none = [] as Object[]
        String tail = MetaClassHelper.capitalize(name)
        MetaMethod getter = pick(receiver, 'get' + tail, none)
        if (getter == null) {
            MetaMethod second = pick(receiver, 'is' + tail, none)
            getter = second != null && (second.returnType == boolean || second.returnType == Boolean) ? second : null
        }
        return getter
    }

    static Object invoke(MetaMethod method, Object receiver, Object[] arguments) {
        try {
            return method.doMethodInvoke(receiver, arguments)
        } catch (InvokerInvocationException problem) {
            throw problem.cause ?: problem
        }
    }

    static Object construct(Class type, Object[] arguments) {
        try {
            return InvokerHelper.getMetaClass(type).invokeConstructor(arguments)
        } catch (InvokerInvocationException problem) {
            throw problem.cause ?: problem
        }
    }
}
