import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.customizers.ImportCustomizer

/** Runs one Jenkinsfile, which the engine sends in its first line. */
class Runner {
    static void main(String[] arguments) {
        def output = new PrintStream(new FileOutputStream(FileDescriptor.out), false, 'UTF-8')
        // Only the channel may write to standard output.
        System.out = System.err
        Channel.open(System.in, output)
        Map error = null
        try {
            def script = makeShell(makeGlobals()).parse((String) Channel.hello.script, 'WorkflowScript')
            if (Channel.hello.isCheck) {
                Declarative.isCheck = true
            }
            script.run()
        } catch (Throwable problem) {
            error = Channel.describe(Channel.unwrap(problem))
        }
        Channel.send([kind: 'done', error: error])
        Runtime.runtime.halt(0)
    }

    static Binding makeGlobals() {
        new Binding([env: new EnvironmentVariables(), params: Channel.hello.params, currentBuild: new RunWrapper(), scm: Channel.hello.scm]
            .findAll { it.value != null })
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
        if (Channel.hello.isSandboxed) {
            configuration.addCompilationCustomizers(new SandboxShape(), new SandboxTransformer())
        }
        return new GroovyShell(Runner.classLoader, binding, configuration)
    }
}
