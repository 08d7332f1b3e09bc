import groovy.transform.CompileStatic
import org.codehaus.groovy.reflection.CachedMethod
import org.codehaus.groovy.runtime.InvokerHelper
import org.codehaus.groovy.runtime.InvokerInvocationException
import org.codehaus.groovy.runtime.MetaClassHelper

import java.lang.reflect.Constructor
import java.lang.reflect.Modifier

/** Which member Groovy itself would take. The gate checks that very member and then uses it, so nothing can come between. */
@CompileStatic
class SandboxMembers {
    // Groovy gives these to every class; a script cannot bring its own (see SandboxShape).
    private static final Set<String> GENERATED = ['getMetaClass', 'setMetaClass', 'invokeMethod', 'getProperty', 'setProperty', 'main'] as Set

    /** Whether a class comes out of the script itself. */
    static boolean isOwn(Class type) { type.classLoader instanceof GroovyClassLoader }

    /** Whether a method was written in the script: what it does goes through the gate itself. */
    static boolean isOwn(MetaMethod method) {
        method instanceof CachedMethod && isOwn(method.declaringClass.theClass) && !GENERATED.contains(method.name) && !method.name.contains('$')
    }

    /** Whether a method comes from the class itself, and not from Groovy's additions to it. */
    static boolean isNative(MetaMethod method) { method instanceof CachedMethod }

    static MetaMethod pick(Object receiver, String name, Object[] arguments) {
        return InvokerHelper.getMetaClass(receiver).pickMethod(name, MetaClassHelper.convertToTypeArray(arguments))
    }

    /** As Groovy does where nothing takes a list: its elements are the arguments. */
    static Object[] unpacked(Object[] arguments) {
        return arguments.length == 1 && arguments[0] instanceof List ? ((List) arguments[0]).toArray() : null
    }

    static MetaMethod pickStatic(Class type, String name, Object[] arguments) {
        MetaClass meta = InvokerHelper.getMetaClass(type)
        MetaMethod found = meta.getStaticMetaMethod(name, arguments)
        return found != null && found.isStatic() ? found : null
    }

    static Constructor pickConstructor(Class type, Object[] arguments) {
        MetaClass meta = InvokerHelper.getMetaClass(type)
        if (!(meta instanceof MetaClassImpl) || Modifier.isAbstract(type.modifiers) || type.isInterface()) {
            return null
        }
        return ((MetaClassImpl) meta).retrieveConstructor(MetaClassHelper.convertToTypeArray(arguments))
    }

    /** The method that reads a property. */
    static MetaMethod getter(Object receiver, String name) {
        Object[] none = [] as Object[]
        String tail = MetaClassHelper.capitalize(name)
        MetaMethod found = pick(receiver, 'get' + tail, none)
        if (found == null) {
            MetaMethod second = pick(receiver, 'is' + tail, none)
            found = second != null && (second.returnType == boolean || second.returnType == Boolean) ? second : null
        }
        return found
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
