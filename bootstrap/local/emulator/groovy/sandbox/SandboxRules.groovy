import groovy.transform.CompileStatic
import org.codehaus.groovy.runtime.DefaultGroovyMethods
import org.codehaus.groovy.runtime.EncodingGroovyMethods
import org.codehaus.groovy.runtime.ProcessGroovyMethods
import org.codehaus.groovy.runtime.StringGroovyMethods
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException

import java.lang.reflect.Method
import java.lang.reflect.Modifier
import java.util.concurrent.ConcurrentHashMap

/** Decides what a sandboxed script may use, by the table sandbox.rules. Everything else is refused, with Jenkins' message or the emulator's. */
@CompileStatic
class SandboxRules {
    private static final List<Class> ADDITIONS = [DefaultGroovyMethods, StringGroovyMethods, ProcessGroovyMethods, EncodingGroovyMethods] as List<Class>
    // The names of Jenkins' classes for which classes of the emulator stand.
    private static final Map<String, String> NAMES = [
        EnvironmentVariables: 'org.jenkinsci.plugins.workflow.support.actions.EnvironmentAction',
        RunWrapper          : 'org.jenkinsci.plugins.workflow.support.steps.build.RunWrapper',
        PipelineScript      : 'org.jenkinsci.plugins.workflow.cps.CpsScript',
    ]
    private static final Map<String, Map<String, Set<String>>> TABLE = read()
    private static final Map<String, Class> CLASSES = new ConcurrentHashMap<>()
    private static final Map<List, Boolean> KNOWN = new ConcurrentHashMap<>()

    private static Map<String, Map<String, Set<String>>> read() {
        Map<String, Map<String, Set<String>>> table = [:]
        Map<String, Set<String>> section = null
        String type = ''
        def stream = SandboxRules.classLoader.getResourceAsStream('sandbox.rules')
        for (String line in stream.getText('UTF-8').readLines()) {
            String words = line.trim()
            if (words.isEmpty() || words.startsWith('#')) {
                continue
            }
            if (words.startsWith('[')) {
                section = [:]
                table[words[1..-2]] = section
                continue
            }
            int colon = words.indexOf(':')
            type = colon > 0 ? words.substring(0, colon) : type
            if (!section.containsKey(type)) {
                section[type] = [] as Set<String>
            }
            section[type].addAll(words.substring(colon + 1).tokenize())
        }
        return table
    }

    private static boolean hasRule(String section, String type, String name, int count) {
        Set<String> members = TABLE[section][type]
        return members != null && (members.contains(name) || members.contains(name + '/' + count))
    }

    static boolean permitsNew(Class type) { TABLE['new'].containsKey(type.name) }

    static boolean permitsStatic(Class type, String name, int count) { hasRule('static', type.name, name, count) }

    static boolean permitsStaticField(Class type, String name) {
        return (type.isEnum() && TABLE['enum'].containsKey(type.name)) || hasRule('staticField', type.name, name, 0)
    }

    static boolean permitsInterface(String name) { TABLE['interface'].containsKey(name) }

    /** Whether a method of an object is permitted; its class has it, or Groovy adds it. */
    static boolean permits(Class receiver, MetaMethod method) {
        List key = [receiver, method.declaringClass.theClass, method.name, method.signature]
        Boolean known = KNOWN[key]
        if (known == null) {
            known = SandboxMembers.isNative(method) ? permitsNative(receiver, method) : permitsAddition(method)
            KNOWN[key] = known
        }
        return known
    }

    private static boolean permitsAddition(MetaMethod method) {
        String self = method.declaringClass.theClass.canonicalName
        int count = method.parameterTypes.length
        return (hasRule('addition', self, method.name, count) || hasRule('addition', '*', method.name, count)) && !isRefused(self, method.name, count)
    }

    static boolean isRefused(String type, String name, int count) { hasRule('refused', type, name, count) }

    private static boolean permitsNative(Class receiver, MetaMethod method) {
        if (!Modifier.isPublic(method.modifiers) || method.isStatic()) {
            return false
        }
        int count = method.parameterTypes.length
        for (String type in TABLE['method'].keySet()) {
            if (hasRule('method', type, method.name, count)) {
                Class permitted = load(type)
                // The permitted class itself must have the method: a subclass can have others of the same name.
                if (permitted != null && permitted.isAssignableFrom(receiver) && permitted.methods.any { Method it ->
                    it.name == method.name && it.parameterCount == count }) {
                    return true
                }
            }
        }
        return false
    }

    private static Class load(String name) {
        if (!CLASSES.containsKey(name)) {
            try {
                CLASSES[name] = Class.forName(name, false, SandboxRules.classLoader)
            } catch (ClassNotFoundException ignored) {
                CLASSES[name] = Void  // a class of a newer Java: no object is an instance of Void
            }
        }
        return CLASSES[name]
    }

    // Refusals

    /** Make the exception that refuses a signature: Jenkins' own, with its line in the log, if Jenkins is known to refuse it; else the emulator's. */
    static Throwable makeRefusal(String signature, boolean isKnown) {
        if (!isKnown) {
            return new UnknownInSandbox(signature)
        }
        Channel.call('_line', [text: "Scripts not permitted to use ${signature}. Administrators can decide whether to approve or reject"
            + ' this signature.'])
        return new RejectedAccessException("Scripts not permitted to use ${signature}".toString())
    }

    static Throwable refuseMethod(Object receiver, MetaMethod method, Object[] arguments) {
        if (!SandboxMembers.isNative(method)) {
            return refuseAddition(receiver, method, arguments)
        }
        Class type = method.declaringClass.theClass
        boolean isKnown = isForeign(type) || isRefused(type.name, method.name, method.parameterTypes.length)
        String kind = method.isStatic() ? 'staticMethod' : 'method'
        return makeRefusal(renderSignature(kind, type, method.name, method.nativeParameterTypes as List<Class>), isKnown)
    }

    private static Throwable refuseAddition(Object receiver, MetaMethod method, Object[] arguments) {
        Class self = method.declaringClass.theClass
        List<Class> types = [self] + (method.nativeParameterTypes as List<Class>)
        int count = arguments.length
        List<Method> alike = []
        for (Class addition in ADDITIONS) {
            for (Method entry in addition.methods) {
                if (accepts(entry, method.name, receiver, arguments)) {
                    alike << entry
                }
            }
        }
        Method named = pickClosest(alike)
        Class owner = named == null ? DefaultGroovyMethods : named.declaringClass
        if (named != null) {
            types = named.parameterTypes as List<Class>
        }
        boolean isKnown = isForeign(self) || isRefused(self.canonicalName, method.name, count) || isRefused('*', method.name, count)
        return makeRefusal(renderSignature('staticMethod', owner, method.name, types), isKnown)
    }

    private static boolean accepts(Method candidate, String name, Object receiver, Object[] arguments) {
        Class[] types = candidate.parameterTypes
        if (candidate.name != name || !Modifier.isStatic(candidate.modifiers) || types.length == 0) {
            return false
        }
        List given = [receiver] + (arguments as List)
        if (types.length != given.size()) {
            return types[-1].isArray() && types.length == 3 && given.size() >= 3 && fits(types[0], given[0]) && fits(types[1], given[1])
        }
        return (0..<types.length).every { int i -> fits(types[i], given[i]) }
    }

    private static boolean fits(Class type, Object value) {
        return value == null ? !type.isPrimitive() : type.isInstance(value) || (type == long && value instanceof Integer) || (type == String && value instanceof GString)
    }

    /** Pick the overload with the most specific first parameter. */
    private static Method pickClosest(List<Method> all) {
        Class owner = all ? all.first().declaringClass : null
        Method best = null
        for (Method candidate in all) {
            boolean isCloser = best == null || candidate.parameterTypes[0].isPrimitive() || (!best.parameterTypes[0].isPrimitive()
                && best.parameterTypes[0].isAssignableFrom(candidate.parameterTypes[0]))
            best = candidate.declaringClass == owner && isCloser ? candidate : best
        }
        return best
    }

    /** Whether Jenkins permits of a class only what the table lists. */
    static boolean isForeign(Class type) {
        String name = type.name
        return TABLE['foreign'].keySet().any { String it -> it.endsWith('.') ? name.startsWith(it) : name == it }
    }

    static String renderSignature(String kind, Class type, String name, List<Class> types) {
        return ([kind, typeName(type), name] + types.collect { Class it -> typeName(it) }).findAll { it }.join(' ')
    }

    static String typeName(Class type) {
        return type.isArray() ? typeName(type.componentType) + '[]' : NAMES.getOrDefault(type.name, type.name)
    }
}
