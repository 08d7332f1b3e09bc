import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.customizers.ImportCustomizer

/** Runs one Jenkinsfile, which the engine sends in its first line. */
class Runner {
    static void main(String[] arguments) {
        def output = new PrintStream(new FileOutputStream(FileDescriptor.out), false, 'UTF-8')
        // Only the channel may write to standard output.
        System.out = System.err
        Channel.open(System.in, output)
        def program = new Thread(null, { runProgram() }, 'program', Baton.STACK)
        program.start()
        program.join()
    }

    private static void runProgram() {
        Map error = null
        try {
            SectionChecks.unrecorded = (List<String>) Channel.hello.unrecorded
            String faults = Validator.describeFaults((String) Channel.hello.script, (Map) Channel.hello.tools)
            if (faults != null) {
                throw StepProblem.of('org.codehaus.groovy.control.MultipleCompilationErrorsException', faults, [])
            }
            Baton.take()
            globals = makeGlobals()
            def binding = new Binding()
            def script = (PipelineScript) makeShell(binding).parse((String) Channel.hello.script, 'WorkflowScript')
            binding.setVariable('steps', new StepsObject(script))
            if (Channel.hello.isCheck) {
                Declarative.isCheck = true
            } else {
                Channel.call('_begin', [:])
            }
            script.run()
        } catch (Throwable problem) {
            error = Channel.describe(Channel.unwrap(problem))
        }
        Channel.send([kind: 'done', error: error])
        Runtime.runtime.halt(0)
    }

    /** The global variables of Jenkins; they are no variables of the script's binding. */
    static Map<String, Object> globals = [:]

    static Map<String, Object> makeGlobals() {
        return [env: new EnvironmentVariables(), params: Collections.unmodifiableMap((Map) (Channel.hello.params ?: [:])),
            currentBuild: new RunWrapper(), scm: Channel.hello.scm].findAll { it.value != null }
    }

    static GroovyShell makeShell(Binding binding) {
        def configuration = new CompilerConfiguration()
        configuration.scriptBaseClass = PipelineScript.name
        configuration.sourceEncoding = 'UTF-8'
        // @Grab would download libraries before the sandbox has checked the script.
        configuration.disabledGlobalASTTransformations = ['groovy.grape.GrabAnnotationTransformation'] as Set
        def imports = new ImportCustomizer()
        imports.addStarImports('hudson', 'hudson.model', 'jenkins.model', 'com.cloudbees.groovy.cps')
        configuration.addCompilationCustomizers(imports)
        configuration.addCompilationCustomizers(new LibraryAnnotations(), new EnvironmentClosures())
        if (Channel.hello.isSandboxed) {
            configuration.addCompilationCustomizers(new SandboxShape(), new SandboxTransformer())
        }
        return new GroovyShell(Runner.classLoader, binding, configuration)
    }
}
