import hudson.model.Result
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** What a sandboxed script may do with the emulator's own objects: the script, the globals and the declarative blocks. */
class SandboxGlobals {
    private static final List<String> OF_SCRIPT = ['getBinding', 'getClass', 'hashCode', 'toString', 'equals']
    private static final List<String> OF_BUILD = ['number', 'id', 'result', 'currentResult', 'displayName', 'fullDisplayName', 'description',
        'projectName', 'fullProjectName', 'absoluteUrl', 'timeInMillis', 'startTimeInMillis', 'duration', 'durationString', 'keepLog',
        'buildVariables', 'buildCauses', 'changeSets', 'upstreamBuilds', 'previousBuild', 'previousCompletedBuild', 'previousSuccessfulBuild',
        'previousFailedBuild', 'previousBuiltBuild', 'previousNotFailedBuild', 'previousBuildInProgress', 'nextBuild']
    private static final List<String> OF_OBJECT = ['getClass', 'hashCode', 'toString', 'equals']
    private static final Map<Class, List<String>> WORDS = [
        (Section)            : ['agent', 'environment', 'tools', 'options', 'stages', 'post'],
        (Root)               : ['parameters', 'triggers', 'libraries'],
        (Stage)              : ['steps', 'when', 'input', 'failFast', 'matrix', 'parallel'],
        (Stages)             : ['stage'],
        (Matrix)             : ['axes', 'excludes', 'when', 'input'],
        (Axes)               : ['axis'],
        (Excludes)           : ['exclude'],
        (InputSettings)      : ['parameters'],
        (Environment)        : ['credentials'],
        (When)               : ['beforeAgent', 'beforeInput', 'beforeOptions', 'expression', 'environment', 'equals', 'not', 'allOf', 'anyOf', 'buildingTag',
            'isRestartedRun'],
    ]

    static boolean knows(Object value) {
        return value instanceof Block || value instanceof EnvironmentVariables || value instanceof RunWrapper || value instanceof Declarative || value instanceof StepsObject
    }

    static boolean hasWord(Object target, String name) {
        return target instanceof Block && WORDS.any { type, words -> type.isInstance(target) && words.contains(name) }
    }

    // The script itself

    static Object callOnScript(PipelineScript script, String name, Object[] arguments) {
        if (name == 'evaluate' && arguments.length == 1 && arguments[0] instanceof CharSequence) {
            return Runner.makeShell(script.binding).parse(arguments[0].toString(), "Script${Math.abs(arguments[0].hashCode() % 100000)}.groovy").run()
        }
        MetaMethod method = SandboxMembers.pick(script, name, arguments)
        if (method == null && SandboxMembers.unpack(arguments) != null) {
            def second = SandboxMembers.pick(script, name, SandboxMembers.unpack(arguments))
            if (second != null && SandboxMembers.isOwn(second)) {
                return Cps.call(second, script, SandboxMembers.unpack(arguments))
            }
        }
        if (method != null && (SandboxMembers.isOwn(method) || isForScripts(method))) {
            return Cps.call(method, script, arguments)
        }
        boolean isStep = ((Map) Channel.hello.steps).containsKey(name) || Steps.OWN.contains(name) || ((List) Channel.hello.symbols).contains(name)
        if (method != null && !isStep) {
            if (SandboxRules.permits(Object, method)) {
                return SandboxMembers.invoke(method, script, arguments)
            }
            throw SandboxRules.refuseMethod(script, method, arguments)
        }
        return Steps.invoke(script, name, arguments)
    }

    private static boolean isForScripts(MetaMethod method) {
        def type = method.declaringClass.theClass
        if (!SandboxMembers.isNative(method)) {
            return false
        }
        return (type == PipelineScript && method.name in ['sleep', 'print', 'println', 'printf']) || (!SandboxMembers.isOwn(type) && OF_SCRIPT.contains(method.name))
    }

    static Object readScript(PipelineScript script, String name) {
        if (name == 'metaClass') {
            throw SandboxRules.makeRefusal('method groovy.lang.GroovyObject getMetaClass', true)
        }
        def held = SandboxProperties.readOwn(script, name)
        if (held != null || script.binding.hasVariable(name)) {
            return held != null ? held : script.getProperty(name)
        }
        MetaMethod getter = SandboxMembers.pickGetter(script, name)
        if (getter != null && !SandboxMembers.isOwn(getter) && !OF_SCRIPT.contains(getter.name)) {
            throw SandboxRules.refuseMethod(script, getter, [] as Object[])
        }
        return script.getProperty(name)
    }

    static void writeScript(PipelineScript script, String name, Object value) {
        if (name == 'metaClass') {
            throw SandboxRules.makeRefusal('method groovy.lang.GroovyObject setMetaClass groovy.lang.MetaClass', true)
        }
        if (name in ['binding', 'class', 'property']) {
            throw SandboxRules.makeRefusal('method groovy.lang.Script setBinding groovy.lang.Binding', true)
        }
        if (SandboxMembers.pick(script, 'set' + name.capitalize(), [value] as Object[])?.with { SandboxMembers.isOwn(it) }) {
            SandboxGate.invoke(script, 'set' + name.capitalize(), [value] as Object[])
        } else if (!SandboxProperties.writeOwn(script, name, value)) {
            PipelineScript.warnOfField(name, value)
            script.binding.setVariable(name, value)
        }
    }

    // The globals and the declarative blocks

    static Object call(Object target, String name, Object[] arguments) {
        if (OF_OBJECT.contains(name) && !hasWord(target, name)) {
            return target.invokeMethod(name, arguments)
        }
        if (target instanceof Block) {
            return callOnBlock((Block) target, name, arguments)
        }
        if (target instanceof RunWrapper) {
            return callOnBuild((RunWrapper) target, name, arguments)
        }
        if (target instanceof StepsObject) {
            return Steps.invoke(((StepsObject) target).script, name, arguments)
        }
        if (target instanceof EnvironmentVariables) {
            if (name == 'getProperty' && arguments.length == 1) {
                return target.getProperty(String.valueOf(arguments[0]))
            }
            if (name == 'setProperty' && arguments.length == 2) {
                return target.setProperty(String.valueOf(arguments[0]), arguments[1])
            }
            if (name in ['getAt', 'putAt']) {
                def types = name == 'getAt' ? 'java.lang.Object java.lang.String' : 'java.lang.Object java.lang.String java.lang.Object'
                throw SandboxRules.makeRefusal("staticMethod org.codehaus.groovy.runtime.DefaultGroovyMethods ${name} ${types}", true)
            }
            if (name == 'getEnvironment') {
                throw SandboxRules.makeRefusal('method org.jenkinsci.plugins.workflow.support.actions.EnvironmentAction getEnvironment', true)
            }
        }
        throw new UnknownInSandbox("method ${SandboxRules.typeName(target.class)} ${name}")
    }

    private static Object callOnBlock(Block block, String name, Object[] arguments) {
        if (hasWord(block, name)) {
            def method = SandboxMembers.pick(block, name, arguments)
            if (method != null) {
                return SandboxMembers.invoke(method, block, arguments)
            }
        }
        if (block instanceof Environment) {
            // The block would call the script without the gate.
            return callOnScript(block.@owner.script, name, arguments)
        }
        return block.methodMissing(name, arguments)
    }

    private static Object callOnBuild(RunWrapper build, String name, Object[] arguments) {
        if (name in ['resultIsBetterOrEqualTo', 'resultIsWorseOrEqualTo', 'getBuildCauses']) {
            return build.invokeMethod(name, arguments)
        }
        if (name.startsWith('get') && name.length() > 3 && arguments.length == 0) {
            return read(build, name[3].toLowerCase() + name.substring(4))
        }
        if (name.startsWith('set') && name.length() > 3 && arguments.length == 1) {
            return write(build, name[3].toLowerCase() + name.substring(4), arguments[0])
        }
        throw new MissingMethodException(name, RunWrapper, arguments)
    }

    static Object read(Object target, String name) {
        if (name == 'class') {
            return target.getClass()
        }
        if (name == 'metaClass') {
            throw SandboxRules.makeRefusal('method groovy.lang.GroovyObject getMetaClass', true)
        }
        if (target instanceof RunWrapper) {
            if (name == 'rawBuild') {
                throw SandboxRules.makeRefusal('method org.jenkinsci.plugins.workflow.support.steps.build.RunWrapper getRawBuild', true)
            }
            return target.getProperty(name)
        }
        if (target instanceof EnvironmentVariables) {
            if (name == 'environment') {
                throw SandboxRules.makeRefusal('method org.jenkinsci.plugins.workflow.support.actions.EnvironmentAction getEnvironment', true)
            }
            return target.getProperty(name)
        }
        if (target instanceof Environment && (name == 'env' || target.knowsValue(name))) {
            return name == 'env' ? target.getView() : target.readValue(name)
        }
        if (target instanceof Section && name in ['any', 'none']) {
            return name
        }
        if (target instanceof Block) {
            return readScript(target.@owner.script, name)
        }
        throw new UnknownInSandbox("property ${name} of ${SandboxRules.typeName(target.class)}")
    }

    static Object write(Object target, String name, Object value) {
        if (name in ['metaClass', 'class']) {
            throw SandboxRules.makeRefusal('method groovy.lang.GroovyObject setMetaClass groovy.lang.MetaClass', true)
        }
        if (target instanceof EnvironmentVariables || target instanceof RunWrapper || (target instanceof Environment && !(name in ['closures', 'values', 'credentialIds', 'owner']))) {
            target.setProperty(name, value)
            return value
        }
        if (target instanceof Block) {
            // Within a declarative block a name without an object belongs to the script.
            return SandboxProperties.write(target.@owner.script, name, value)
        }
        throw new UnknownInSandbox("property ${name} of ${SandboxRules.typeName(target.class)}")
    }
}
