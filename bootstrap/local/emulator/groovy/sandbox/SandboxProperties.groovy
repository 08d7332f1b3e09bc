import groovy.transform.CompileStatic
import org.codehaus.groovy.reflection.CachedField
import org.codehaus.groovy.runtime.InvokerHelper
import org.codehaus.groovy.runtime.MetaClassHelper

import java.lang.reflect.Field
import java.lang.reflect.Modifier

/** Reads and writes properties as Groovy does, each by a member that was checked. */
@CompileStatic
class SandboxProperties {
    private static final Object[] NONE = [] as Object[]

    static Object read(Object receiver, String name) {
        if (receiver == null) {
            throw new NullPointerException("Cannot get property '${name}' on null object".toString())
        }
        if (receiver instanceof Class) {
            return readOfClass((Class) receiver, name)
        }
        if (receiver instanceof Map) {
            return ((Map) receiver).get(name)
        }
        if (receiver instanceof Closure) {
            return SandboxLookup.readFrom((Closure) receiver, name)
        }
        if (receiver instanceof PipelineScript) {
            return SandboxGlobals.readScript((PipelineScript) receiver, name)
        }
        if (SandboxGlobals.knows(receiver)) {
            return SandboxGlobals.read(receiver, name)
        }
        MetaMethod getter = name == 'metaClass' ? SandboxMembers.pick(receiver, 'getMetaClass', NONE) : SandboxMembers.pickGetter(receiver, name)
        if (getter != null && (SandboxMembers.isOwn(getter) || SandboxRules.permits(receiver.class, getter))) {
            return SandboxMembers.invoke(getter, receiver, NONE)
        }
        Field field = findField(receiver, name)
        if (getter == null && field != null && SandboxMembers.isOwn(field.declaringClass)) {
            return readField(receiver, name)
        }
        if (getter == null && receiver.class.array && name == 'length') {
            return java.lang.reflect.Array.getLength(receiver)
        }
        if (getter == null && (receiver instanceof Collection || receiver instanceof Object[])) {
            return InvokerHelper.asIterator(receiver).collect { Object it -> it == null ? null : read(it, name) }
        }
        if (getter != null) {
            throw SandboxRules.refuseMethod(receiver, getter, NONE)
        }
        return readMissing(receiver, name)
    }

    private static Object readMissing(Object receiver, String name) {
        if (SandboxMembers.isOwn(receiver.class)) {
            MetaMethod hook = SandboxMembers.pick(receiver, 'propertyMissing', [name] as Object[])
            if (hook != null && SandboxMembers.isOwn(hook)) {
                return SandboxMembers.invoke(hook, receiver, [name] as Object[])
            }
            throw new MissingPropertyException(name, receiver.class)
        }
        throw new MissingPropertyException("No such field found: field ${receiver.class.name} ${name}".toString())
    }

    /** Read a property that a class of the script itself defines; null if there is none. */
    static Object readOwn(Object receiver, String name) {
        MetaMethod getter = SandboxMembers.pickGetter(receiver, name)
        if (getter != null) {
            return SandboxMembers.isOwn(getter) ? SandboxMembers.invoke(getter, receiver, NONE) : null
        }
        Field field = findField(receiver, name)
        return field != null && SandboxMembers.isOwn(field.declaringClass) ? readField(receiver, name) : null
    }

    private static Object readOfClass(Class type, String name) {
        if (name == 'class') {
            return type.class
        }
        MetaMethod getter = SandboxMembers.pickStatic(type, 'get' + MetaClassHelper.capitalize(name), NONE)
        if (getter != null && getter.declaringClass.theClass != Class) {
            return SandboxGate.invoke(type, getter.name, NONE)
        }
        Field field = type.fields.find { Field it -> it.name == name && Modifier.isStatic(it.modifiers) } ?: findOwnField(type, name)
        if (field != null) {
            if (!SandboxMembers.isOwn(field.declaringClass) && !SandboxRules.permitsStaticField(field.declaringClass, name)) {
                throw SandboxRules.makeRefusal("staticField ${field.declaringClass.name} ${name}".toString(), SandboxRules.isForeign(field.declaringClass))
            }
            field.accessible = SandboxMembers.isOwn(field.declaringClass) ?: field.accessible
            return field.get(null)
        }
        MetaMethod method = InvokerHelper.getMetaClass(Class).pickMethod('get' + MetaClassHelper.capitalize(name), [] as Class[])
        method = method ?: InvokerHelper.getMetaClass(Class).pickMethod('is' + MetaClassHelper.capitalize(name), [] as Class[])
        if (method == null) {
            throw new MissingPropertyException(name, type)
        }
        if (!SandboxRules.permits(Class, method)) {
            throw SandboxRules.refuseMethod(type, method, NONE)
        }
        return SandboxMembers.invoke(method, type, NONE)
    }

    static void write(Object receiver, String name, Object value) {
        if (receiver == null) {
            throw new NullPointerException("Cannot set property '${name}' on null object".toString())
        }
        if (receiver instanceof Map) {
            ((Map) receiver).put(name, value)
        } else if (receiver instanceof Closure) {
            SandboxLookup.writeTo((Closure) receiver, name, value)
        } else if (receiver instanceof PipelineScript) {
            SandboxGlobals.writeScript((PipelineScript) receiver, name, value)
        } else if (SandboxGlobals.knows(receiver)) {
            SandboxGlobals.write(receiver, name, value)
        } else if (receiver instanceof Class) {
            Field field = findOwnField((Class) receiver, name)
            if (field == null) {
                SandboxGate.invoke(receiver, 'set' + MetaClassHelper.capitalize(name), [value] as Object[])
            } else {
                writeField(receiver, name, value)
            }
        } else {
            writeObject(receiver, name, value)
        }
    }

    private static void writeObject(Object receiver, String name, Object value) {
        MetaMethod setter = SandboxMembers.pick(receiver, 'set' + MetaClassHelper.capitalize(name), [value] as Object[])
        Field field = findField(receiver, name)
        if (setter == null && field != null && SandboxMembers.isOwn(field.declaringClass)) {
            writeField(receiver, name, value)
        } else if (setter != null) {
            SandboxGate.callOnObject(receiver, setter.name, [value] as Object[])
        } else if (SandboxMembers.isOwn(receiver.class) && SandboxMembers.pick(receiver, 'propertyMissing', [name, value] as Object[]) != null) {
            SandboxGate.callOnObject(receiver, 'propertyMissing', [name, value] as Object[])
        } else {
            throw new MissingPropertyException("No such field found: field ${receiver.class.name} ${name}".toString())
        }
    }

    // Fields: only those of classes that the script itself defines.

    private static Field findOwnField(Class type, String name) {
        for (Class declaring = type; declaring != null && SandboxMembers.isOwn(declaring); declaring = declaring.superclass) {
            Field field = declaring.declaredFields.find { Field entry -> entry.name == name && !name.contains('$') && name != 'metaClass' }
            if (field != null) {
                return field
            }
        }
        return null
    }

    private static Field findField(Object receiver, String name) {
        return receiver instanceof Class ? findOwnField((Class) receiver, name) : findOwnField(receiver.class, name)
    }

    /** Write a field that a class of the script itself defines; false if there is none. */
    static boolean writeOwn(Object receiver, String name, Object value) {
        boolean isThere = findField(receiver, name) != null
        if (isThere) {
            writeField(receiver, name, value)
        }
        return isThere
    }

    static Object readField(Object receiver, String name) {
        Field field = receiver == null ? null : findField(receiver, name)
        if (field == null) {
            throw SandboxRules.makeRefusal("field ${receiver == null ? 'null' : SandboxRules.typeName(receiver.class)} ${name}".toString(), false)
        }
        field.accessible = true
        return field.get(receiver instanceof Class ? null : receiver)
    }

    static void writeField(Object receiver, String name, Object value) {
        Field field = receiver == null ? null : findField(receiver, name)
        if (field == null || Modifier.isFinal(field.modifiers)) {
            throw SandboxRules.makeRefusal("field ${receiver == null ? 'null' : SandboxRules.typeName(receiver.class)} ${name}".toString(), false)
        }
        field.accessible = true
        field.set(receiver instanceof Class ? null : receiver, SandboxCasts.cast(field.type, value, false))
    }
}
