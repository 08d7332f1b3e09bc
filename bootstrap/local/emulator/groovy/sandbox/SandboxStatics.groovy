import groovy.transform.CompileStatic
import org.codehaus.groovy.runtime.InvokerHelper
import org.codehaus.groovy.runtime.MetaClassHelper
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException

/** Calls on a class: its static methods, and the methods that every class object has. */
@CompileStatic
class SandboxStatics {
    static Object call(Class type, String name, Object[] arguments) {
        MetaMethod method = SandboxMembers.pickStatic(type, name, arguments)
        if (method == null && arguments.length == 1 && arguments[0] instanceof List) {
            method = SandboxMembers.pickStatic(type, name, SandboxMembers.unpack(arguments))
            arguments = method == null ? arguments : SandboxMembers.unpack(arguments)
        }
        if (method != null) {
            Class declaring = method.declaringClass.theClass
            boolean isPermitted = SandboxMembers.isOwn(method) || (declaring != Class && SandboxRules.permitsStatic(declaring, name, method.parameterTypes.length))
            if (isPermitted && type == groovy.json.JsonOutput && !arguments.every { Object it -> isData(it) }) {
                throw new UnknownInSandbox("${name} of what is no plain data".toString())
            }
            if (!isPermitted) {
                throw refuseStatic(type, method, arguments)
            }
            return Cps.call(method, type, arguments)
        }
        if (name == 'asType' || name == 'getAt') {
            throw new UnknownInSandbox("${name} of a class".toString())
        }
        MetaMethod ofClass = InvokerHelper.getMetaClass(Class).pickMethod(name, MetaClassHelper.convertToTypeArray(arguments))
        if (ofClass == null) {
            throw new MissingMethodException(name, Class, arguments)
        }
        if (ofClass.isStatic()) {
            throw refuseStatic(Class, ofClass, arguments)
        }
        if (!SandboxRules.permits(Class, ofClass)) {
            throw SandboxRules.refuseMethod(type, ofClass, arguments)
        }
        return SandboxMembers.invoke(ofClass, type, arguments)
    }

    /** Whether a value can be written as JSON without reading properties of an object. */
    private static boolean isData(Object value) {
        if (value instanceof Map) {
            return ((Map) value).values().every { Object it -> isData(it) }
        }
        if (value instanceof Collection || value instanceof Object[]) {
            return InvokerHelper.asIterator(value).every { Object it -> isData(it) }
        }
        return value == null || value instanceof CharSequence || value instanceof Number || value instanceof Boolean || value instanceof Character ||
            value instanceof Date || value instanceof UUID || value instanceof URL || value instanceof Enum || (value.class.array && value.class.componentType.primitive)
    }

    private static Throwable refuseStatic(Class type, MetaMethod method, Object[] arguments) {
        if (!SandboxMembers.isNative(method)) {
            String given = arguments.collect { Object it ->
                it instanceof Closure ? 'org.jenkinsci.plugins.workflow.cps.CpsClosure2' : it == null ? 'null' : SandboxRules.typeName(it.class) }.join(' ')
            return new RejectedAccessException("No such static method found: staticMethod ${type.name} ${method.name} ${given}".toString().trim())
        }
        Class declaring = method.declaringClass.theClass
        boolean isKnown = SandboxRules.isForeign(declaring) || SandboxRules.isRefused(declaring.name, method.name, arguments.length)
        return SandboxRules.makeRefusal(SandboxRules.renderSignature('staticMethod', declaring, method.name, method.nativeParameterTypes as List<Class>), isKnown)
    }
}
