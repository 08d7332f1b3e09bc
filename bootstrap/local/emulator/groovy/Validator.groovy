import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic
import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.expr.ArgumentListExpression
import org.codehaus.groovy.ast.expr.BinaryExpression
import org.codehaus.groovy.ast.expr.ClosureExpression
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.Expression
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.ast.expr.VariableExpression
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.Statement
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
            faults = check((String) new JsonSlurperClassic().parse(new InputStreamReader(System.in, 'UTF-8')).script)
        } catch (StackOverflowError | OutOfMemoryError ignored) {
            faults = ['the emulator cannot read this text: it is nested too deeply']
        }
        output.print(JsonOutput.toJson([faults: faults]) + '\n')
        output.flush()
        Runtime.runtime.halt(0)
    }

    static List<String> check(String text) {
        def configuration = new CompilerConfiguration()
        def unit = new SourceUnit('WorkflowScript', text, configuration, new GroovyClassLoader(Validator.classLoader), new ErrorCollector(configuration))
        try {
            unit.parse()
            unit.completePhase()
            unit.nextPhase()
            unit.convert()
        } catch (MultipleCompilationErrorsException problem) {
            return problem.errorCollector.errors.collect { entry ->
                def cause = entry instanceof SyntaxErrorMessage ? entry.cause : null
                cause == null ? String.valueOf(entry) : "WorkflowScript: ${cause.line}: ${cause.message}".toString()
            }
        }
        def call = unit.AST.statementBlock.statements.findResult { Structure.findCall(it)?.methodAsString == 'pipeline' ? Structure.findCall(it) : null }
        return call == null ? ['only a declarative pipeline can be checked'] : new Structure().check((MethodCallExpression) call)
    }
}

/** Checks the sections of a declarative pipeline, and finds the faults that the text alone shows. */
class Structure {
    private static final List<String> SHARED = ['agent', 'environment', 'tools', 'options', 'stages', 'post']
    private static final List<String> OF_ROOT = SHARED + ['parameters', 'triggers', 'libraries']
    private static final List<String> OF_STAGE = SHARED + ['steps', 'when', 'input', 'failFast', 'matrix', 'parallel']
    private static final List<String> CONDITIONS = ['always', 'changed', 'fixed', 'regression', 'aborted', 'success', 'unsuccessful', 'unstable',
        'failure', 'notBuilt', 'cleanup']
    private static final List<String> OPTIONS = ['ansiColor', 'authorizationMatrix', 'buildDiscarder', 'catchError', 'checkoutToSubdirectory',
        'disableConcurrentBuilds', 'disableRestartFromStage', 'disableResume', 'durabilityHint', 'hideFromView', 'overrideIndexTriggers',
        'parallelsAlwaysFailFast', 'preserveStashes', 'quietPeriod', 'rateLimitBuilds', 'retry', 'script', 'skipDefaultCheckout',
        'skipStagesAfterUnstable', 'timeout', 'timestamps', 'waitUntil', 'warnError', 'withChecks', 'withContext', 'withCredentials', 'withEnv',
        'wrap', 'ws']
    private static final List<String> STAGE_OPTIONS = ['ansiColor', 'catchError', 'checkoutToSubdirectory', 'hideFromView', 'retry', 'script',
        'skipDefaultCheckout', 'timeout', 'timestamps', 'waitUntil', 'warnError', 'withChecks', 'withContext', 'withCredentials', 'withEnv', 'wrap', 'ws']
    private static final List<String> PARAMETERS = ['booleanParam', 'choice', 'credentials', 'file', 'text', 'password', 'run', 'string']
    private static final List<String> TRIGGERS = ['upstream', 'cron', 'pollSCM']
    private static final List<String> WHEN = ['allOf', 'anyOf', 'branch', 'buildingTag', 'changeRequest', 'changelog', 'changeset', 'environment',
        'equals', 'expression', 'isRestartedRun', 'not', 'tag', 'triggeredBy']
    private static final List<String> BODIES = ['steps', 'stages', 'parallel', 'matrix']

    private final List<String> faults = []
    private final Set<String> names = []

    List<String> check(MethodCallExpression pipeline) {
        Map<String, MethodCallExpression> sections = readSections(pipeline, OF_ROOT) { name -> "Undefined section \"${name}\"" }
        ['stages', 'agent'].findAll { !sections.containsKey(it) }.each { addFault("Missing required section \"${it}\"", pipeline) }
        checkShared(sections)
        checkKinds(sections.options, 'option', OPTIONS)
        checkKinds(sections.parameters, 'parameter', PARAMETERS)
        checkKinds(sections.triggers, 'trigger', TRIGGERS)
        if (sections.stages) {
            checkStages(sections.stages, 'No stages specified', false)
        }
        return faults
    }

    private void addFault(String message, ASTNode place) {
        faults << "WorkflowScript: ${place.lineNumber}: ${message} @ line ${place.lineNumber}, column ${place.columnNumber}.".toString()
    }

    static MethodCallExpression findCall(Statement statement) {
        def expression = statement instanceof ExpressionStatement ? statement.expression : null
        return expression instanceof MethodCallExpression ? expression : null
    }

    static List<Expression> readArguments(MethodCallExpression call) {
        return call.arguments instanceof ArgumentListExpression ? ((ArgumentListExpression) call.arguments).expressions : []
    }

    static ClosureExpression findBlock(MethodCallExpression call) {
        def words = readArguments(call)
        return words && words[-1] instanceof ClosureExpression ? (ClosureExpression) words[-1] : null
    }

    static List<Statement> readStatements(MethodCallExpression call) {
        def block = findBlock(call)
        return block == null ? [] : block.code instanceof BlockStatement ? ((BlockStatement) block.code).statements : [block.code]
    }

    private Map<String, MethodCallExpression> readSections(MethodCallExpression outer, List<String> known, Closure<String> unknown) {
        Map<String, MethodCallExpression> sections = [:]
        for (statement in readStatements(outer)) {
            def call = findCall(statement)
            String name = call?.methodAsString
            if (call == null || name == null) {
                addFault('Not a valid section definition: "' + readSource(statement) + '"', statement)
            } else if (!known.contains(name)) {
                addFault(unknown(name), call)
            } else if (sections.containsKey(name)) {
                addFault("Multiple occurrences of the ${name} section", call)
            } else {
                sections[name] = call
            }
        }
        return sections
    }

    private static String readSource(Statement statement) { statement instanceof ExpressionStatement ? statement.expression.text : statement.class.simpleName }

    private void checkShared(Map<String, MethodCallExpression> sections) {
        checkAgent(sections.agent)
        checkFilled(sections.options, 'options can not be empty')
        checkFilled(sections.tools, 'No tools specified')
        checkFilled(sections.environment, 'No variables specified for environment')
        for (statement in (sections.environment ? readStatements(sections.environment) : [])) {
            def entry = statement instanceof ExpressionStatement ? statement.expression : null
            if (!(entry instanceof BinaryExpression) || ((BinaryExpression) entry).operation.text != '=') {
                addFault('Expected name=value pairs', statement)
            }
        }
        if (sections.post) {
            checkFilled(sections.post, 'post can not be empty')
            for (statement in readStatements(sections.post)) {
                def call = findCall(statement)
                if (call == null || findBlock(call) == null || !CONDITIONS.contains(call.methodAsString)) {
                    addFault("Invalid condition \"${call?.methodAsString}\" - valid conditions are ${CONDITIONS}", statement)
                } else {
                    checkSteps(call)
                }
            }
        }
    }

    private void checkFilled(MethodCallExpression section, String message) {
        if (section != null && readStatements(section).isEmpty()) {
            addFault(message, section)
        }
    }

    private void checkKinds(MethodCallExpression section, String what, List<String> known) {
        for (statement in (section ? readStatements(section) : [])) {
            def call = findCall(statement)
            if (call?.methodAsString == null) {
                addFault("Expected a symbol", statement)
            } else if (!known.contains(call.methodAsString)) {
                addFault("Invalid ${what} type \"${call.methodAsString}\". Valid ${what} types: ${known}", call)
            }
        }
    }

    private void checkConditions(MethodCallExpression section) {
        for (statement in readStatements(section)) {
            def call = findCall(statement)
            String name = call?.methodAsString
            if (name in ['beforeAgent', 'beforeInput', 'beforeOptions']) {
                continue
            }
            if (!WHEN.contains(name)) {
                addFault("Unknown conditional ${name}. Valid conditionals are: ${WHEN.join(', ')}", statement)
            } else if (name in ['allOf', 'anyOf', 'not']) {
                if (name == 'not' && readStatements(call).size() != 1) {
                    addFault('Nested when condition "not" requires exactly 1 child condition(s).', call)
                }
                checkConditions(call)
            }
        }
    }

    private void checkAgent(MethodCallExpression section) {
        if (section == null) {
            return
        }
        def words = readArguments(section)
        if (findBlock(section) == null) {
            def word = words.size() == 1 ? words[0] : null
            String name = word instanceof VariableExpression || word instanceof ConstantExpression ? word.text : null
            if (!(name in ['any', 'none'])) {
                addFault('Only "agent none", "agent any" or "agent {...}" are allowed.', section)
                addFault('No agent type specified. Must be one of [any, label, none]', section)
            }
            return
        }
        def kinds = readStatements(section).collect { findCall(it) }
        kinds.findAll { it == null || !(it.methodAsString in ['label', 'node', 'any', 'none', 'customWorkspace', 'reuseNode']) }.each {
            addFault(it == null ? 'No agent type specified. Must be one of [any, label, none]' : Declarative.invalidAgent(it.methodAsString), it ?: section)
        }
    }

    private void checkStages(MethodCallExpression section, String empty, boolean isParallel) {
        int count = 0
        for (statement in readStatements(section)) {
            def call = findCall(statement)
            if (call?.methodAsString != 'stage') {
                addFault('Expected a stage', statement)
                continue
            }
            count++
            checkStage(call, section, isParallel)
        }
        if (count == 0) {
            addFault(empty, section)
        }
    }

    private void checkStage(MethodCallExpression call, MethodCallExpression section, boolean isParallel) {
        def words = readArguments(call)
        String name = 'error'
        if (words.size() == 2 && words[0] instanceof ConstantExpression) {
            name = words[0].text ?: 'error'
        } else {
            addFault('Expected string literal', words ? words[0] : call)
        }
        if (words && words[0] instanceof ConstantExpression && !names.add(name)) {
            addFault("Duplicate stage name: \"${name}\"", section)
        }
        if (findBlock(call) == null) {
            addFault('Stage does not have a block', call)
        }
        Map<String, MethodCallExpression> sections = readSections(call, OF_STAGE) { unknown ->
            "Unknown stage section \"${unknown}\". Starting with version 0.5, steps in a stage must be in a \u2018steps\u2019 block."
        }
        def bodies = BODIES.findAll { sections.containsKey(it) }
        if (bodies.isEmpty()) {
            addFault("Expected one of \"steps\", \"stages\", or \"parallel\" for stage \"${name}\"", call)
        } else if (bodies.size() > 1) {
            addFault("Only one of \"matrix\", \"parallel\", \"stages\", or \"steps\" allowed for stage \"${name}\"", call)
        }
        checkShared(sections)
        checkKinds(sections.options, 'option', STAGE_OPTIONS)
        if (sections.when) {
            checkConditions(sections.when)
        }
        checkFilled(sections.when, 'Empty when closure, remove the property or add some content.')
        if (sections.input && !readStatements(sections.input).any { findCall(it)?.methodAsString == 'message' } && readArguments(sections.input).any { it instanceof ClosureExpression }) {
            addFault('No message specified for input', sections.input)
        }
        if (sections.steps) {
            if (readStatements(sections.steps).isEmpty()) {
                addFault('No steps specified for branch', findBlock(sections.steps) ?: sections.steps)
            }
            checkSteps(sections.steps)
        }
        if (sections.stages) {
            checkStages(sections.stages, 'No stages specified', isParallel)
        }
        if (sections.parallel) {
            if (isParallel) {
                addFault('"matrix" or "parallel" cannot be nested inside another "matrix" or "parallel".', sections.parallel)
            }
            checkStages(sections.parallel, 'No stages specified', true)
        }
    }

    private void checkSteps(MethodCallExpression section) {
        for (statement in readStatements(section)) {
            def call = findCall(statement)
            if (call == null) {
                addFault('Expected a step', statement)
            } else if (!call.implicitThis || call.methodAsString == null) {
                addFault('Expected a symbol', statement)
            } else if (call.methodAsString != 'script' && findBlock(call) != null) {
                checkSteps(call)
            }
        }
    }
}
