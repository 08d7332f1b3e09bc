import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.ErrorCollector
import org.codehaus.groovy.control.MultipleCompilationErrorsException
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.messages.SyntaxErrorMessage

/** Checks a declarative Jenkinsfile by its syntax tree. Groovy only parses the text: nothing is resolved, transformed or run. */
class Validator {
    static void main(String[] arguments) {
        def output = new PrintStream(new FileOutputStream(FileDescriptor.out), false, 'UTF-8')
        System.out = System.err
        List<String> faults
        try {
            def given = (Map) new JsonSlurperClassic().parse(new InputStreamReader(System.in, 'UTF-8'))
            SectionChecks.unrecorded = (List<String>) given.unrecorded
            faults = check((String) given.script, (Map) given.tools)
        } catch (StackOverflowError | OutOfMemoryError ignored) {
            faults = ['the emulator cannot read this text: it is nested too deeply']
        }
        output.print(JsonOutput.toJson([faults: faults]) + '\n')
        output.flush()
        Runtime.runtime.halt(0)
    }

    /** The faults of a text, as `validateJenkinsfile` words them. */
    static List<String> check(String text, Map tools) {
        def unit = makeUnit(text)
        try {
            convert(unit)
        } catch (MultipleCompilationErrorsException problem) {
            return problem.errorCollector.errors.collect { entry ->
                def cause = entry instanceof SyntaxErrorMessage ? entry.cause : null
                cause == null ? String.valueOf(entry) : "WorkflowScript: ${cause.line}: ${cause.message}".toString()
            }
        }
        def call = findPipeline(unit)
        return call == null ? ['only a declarative pipeline can be checked'] : new Structure(tools).check(call)*.text
    }

    /** The faults of a Jenkinsfile as the compiler words them, with their lines; null if there are none, or if it is not declarative. */
    static String describeFaults(String text, Map tools) {
        def unit = makeUnit(text)
        try {
            convert(unit)
        } catch (MultipleCompilationErrorsException ignored) {
            // It fails again, with its own words, when it is compiled.
            return null
        }
        def call = findPipeline(unit)
        List<Fault> faults = call == null ? [] : new Structure(tools).check(call)
        if (faults.isEmpty()) {
            return null
        }
        String shown = faults.collect { "${it.text}\n${unit.getSample(it.line, it.column, null)}\n\n" }.join('')
        return "startup failed:\n${shown}${faults.size()} error${faults.size() > 1 ? 's' : ''}\n"
    }

    /** Judge the text of a file for the step `validateDeclarativePipeline`: the words about it, and whether it is valid. */
    static Map judge(String path, String text, Map tools) {
        String file = "Declarative Pipeline file '${path}'"
        def unit = makeUnit(text)
        String faults
        try {
            convert(unit)
            faults = describeFaults(text, tools)
        } catch (MultipleCompilationErrorsException problem) {
            faults = problem.message
        }
        if (faults != null) {
            return [isValid: false, words: "Error(s) validating ${file} - ${MultipleCompilationErrorsException.name}: ${faults}".toString()]
        }
        boolean isDeclarative = findPipeline(unit) != null
        return [isValid: isDeclarative, words: isDeclarative ? "${file} is valid." : "${file} does not contain the 'pipeline' step."]
    }

    private static SourceUnit makeUnit(String text) {
        def configuration = new CompilerConfiguration()
        return new SourceUnit('WorkflowScript', text, configuration, new GroovyClassLoader(Validator.classLoader), new ErrorCollector(configuration))
    }

    private static void convert(SourceUnit unit) {
        unit.parse()
        unit.completePhase()
        unit.nextPhase()
        unit.convert()
    }

    private static MethodCallExpression findPipeline(SourceUnit unit) {
        return unit.AST.statementBlock.statements.findResult {
            def call = Structure.findCall(it)
            call?.methodAsString == 'pipeline' && Structure.findBlock(call) != null ? call : null
        }
    }
}
