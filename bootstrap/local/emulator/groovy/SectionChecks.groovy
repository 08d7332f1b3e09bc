import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.expr.BinaryExpression
import org.codehaus.groovy.ast.expr.ClosureExpression
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.DeclarationExpression
import org.codehaus.groovy.ast.expr.Expression
import org.codehaus.groovy.ast.expr.GStringExpression
import org.codehaus.groovy.ast.expr.MapExpression
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.ast.expr.PropertyExpression
import org.codehaus.groovy.ast.expr.TupleExpression
import org.codehaus.groovy.ast.expr.VariableExpression
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.Statement

/** A fault of a declarative Jenkinsfile, with its place. */
class Fault {
    final String message
    final int line, column

    Fault(String message, ASTNode place) {
        this.message = message
        line = place.lineNumber
        column = place.columnNumber
    }

    String getText() { "WorkflowScript: ${line}: ${message} @ line ${line}, column ${column}." }
}

/** Checks what the pipeline and its stages have in common. Jenkins first reads all sections, then judges them: so its faults come in two groups. */
abstract class SectionChecks {
    private static final List<String> CONDITIONS = Declarative.CONDITIONS
    private static final List<String> TOOLS = ['git', 'hudson.plugins.git.GitTool', 'jdk', 'hudson.model.JDK', 'jgit',
        'org.jenkinsci.plugins.gitclient.JGitTool', 'jgitapache', 'org.jenkinsci.plugins.gitclient.JGitApacheTool', 'maven',
        'hudson.tasks.Maven$MavenInstallation']

    /** The installed plugins of which the emulator has no record: what Jenkins may know by them it does not refuse in Jenkins' name. */
    static List<String> unrecorded = []
    protected final List<Fault> unread = []
    protected final List<Fault> invalid = []
    private final Map tools

    /** `tools` has the names of the installations by the kind of tool; null where they are not known. */
    SectionChecks(Map tools) { this.tools = tools }

    protected void refuse(String message, Object place) { invalid << new Fault(message, (ASTNode) place) }

    protected void misread(String message, ASTNode place) { unread << new Fault(message, place) }

    static MethodCallExpression findCall(Statement statement) {
        def expression = statement instanceof ExpressionStatement ? statement.expression : null
        return expression instanceof MethodCallExpression ? expression : null
    }

    static List<Expression> readArguments(MethodCallExpression call) {
        return call.arguments instanceof TupleExpression ? ((TupleExpression) call.arguments).expressions : []
    }

    static ClosureExpression findBlock(MethodCallExpression call) {
        def words = readArguments(call)
        return words && words[-1] instanceof ClosureExpression ? (ClosureExpression) words[-1] : null
    }

    static List<Statement> readStatements(MethodCallExpression call) {
        def block = findBlock(call)
        return block == null ? [] : block.code instanceof BlockStatement ? ((BlockStatement) block.code).statements : [block.code]
    }

    /** The named arguments of a call; null if it has none. */
    protected static Map<ConstantExpression, Expression> readNamed(MethodCallExpression call) {
        def map = readArguments(call).find { it instanceof MapExpression }
        return map == null ? null : ((MapExpression) map).mapEntryExpressions.collectEntries { [(it.keyExpression): it.valueExpression] }
    }

    protected static List<Expression> readPlain(MethodCallExpression call) {
        readArguments(call).findAll { !(it instanceof ClosureExpression) && !(it instanceof MapExpression) }
    }

    /** The sections of a block by name. An unknown one is refused with the words of `unknown`, at `place` if that is given. */
    protected Map<String, MethodCallExpression> readSections(
        MethodCallExpression outer, List<String> known, Closure<String> unknown, ASTNode place = null) {
        Map<String, MethodCallExpression> sections = [:]
        for (statement in readStatements(outer)) {
            def call = findCall(statement)
            String name = call?.methodAsString
            if (call == null || name == null) {
                misread('Not a valid section definition: "' + readSource(statement) + '"', statement)
            } else if (!known.contains(name)) {
                misread(unknown(name), place ?: call)
            } else if (sections.containsKey(name)) {
                misread("Multiple occurrences of the ${name} section", call)
            } else {
                sections[name] = call
            }
        }
        return sections
    }

    private static String readSource(Statement statement) { statement instanceof ExpressionStatement ? statement.expression.text : statement.class.simpleName }

    protected void checkShared(Map<String, MethodCallExpression> sections) {
        checkAgent(sections.agent)
        if (sections.environment) {
            checkEnvironment(sections.environment)
        }
        checkFilled(sections.options, 'options can not be empty')
        checkTools(sections.tools)
        if (sections.post) {
            checkPost(sections.post)
        }
    }

    protected void checkPost(MethodCallExpression section) {
        int count = 0
        for (statement in readStatements(section)) {
            def call = findCall(statement)
            if (call == null || findBlock(call) == null) {
                misread('The \u2018post\u2019 section can only contain build condition names with code blocks. '
                    + "Valid condition names are ${CONDITIONS}", statement)
                continue
            }
            count++
            if (!CONDITIONS.contains(call.methodAsString)) {
                refuse("Invalid condition \"${call.methodAsString}\" - valid conditions are ${CONDITIONS}", call)
            }
            checkBranch(call)
        }
        if (count == 0) {
            refuse('post can not be empty', section)
        }
    }

    protected void checkEnvironment(MethodCallExpression section) {
        int count = 0
        for (statement in readStatements(section)) {
            def entry = statement instanceof ExpressionStatement ? statement.expression : null
            if (!(entry instanceof BinaryExpression) || entry instanceof DeclarationExpression || ((BinaryExpression) entry).operation.text != '=') {
                misread('Expected name=value pairs', statement)
            } else if (!isEnvironmentValue(((BinaryExpression) entry).rightExpression)) {
                misread('Environment variable values must either be single quoted, double quoted, or function calls.',
                    ((BinaryExpression) entry).rightExpression)
            } else {
                count++
            }
        }
        if (count == 0) {
            refuse('No variables specified for environment', section)
        }
    }

    protected static boolean isEnvironmentValue(Expression value) {
        if (value instanceof BinaryExpression) {
            return value.operation.text == '+' && isEnvironmentValue(value.leftExpression) && isEnvironmentValue(value.rightExpression)
        }
        return [ConstantExpression, GStringExpression, MethodCallExpression, VariableExpression, PropertyExpression].any { it.isInstance(value) }
    }

    protected void checkFilled(MethodCallExpression section, String message) {
        if (section != null && readStatements(section).isEmpty()) {
            refuse(message, section)
        }
    }

    protected void checkTools(MethodCallExpression section) {
        checkFilled(section, 'No tools specified')
        for (statement in (section ? readStatements(section) : [])) {
            def call = findCall(statement)
            String kind = call?.methodAsString
            def words = call == null ? [] : readPlain(call)
            if (kind == null || words.size() != 1) {
                misread("Expected to find \u2018someTool \"someVersion\"\u2019", statement)
            } else if (!TOOLS.contains(kind)) {
                refuseName('tool', kind, "Invalid tool type \"${kind}\". Valid tool types: ${TOOLS}", call)
            } else if (words[0] instanceof ConstantExpression && tools?.containsKey(kind) && !((List) tools[kind]).contains(words[0].text)) {
                String nearest = StepSignatures.findNearest(words[0].text, (List<String>) tools[kind])
                refuse("Tool type \"${kind}\" does not have an install of \"${words[0].text}\" configured - did you mean \"${nearest}\"?", words[0])
            }
        }
    }

    protected void checkKinds(MethodCallExpression section, String what, List<String> known) {
        for (statement in (section ? readStatements(section) : [])) {
            def call = findCall(statement)
            String name = call?.methodAsString
            if (name == null) {
                misread('Expected a symbol', statement)
            } else if (!known.contains(name)) {
                refuseName(what, name, "Invalid ${what} type \"${name}\". Valid ${what} types: ${known}", call)
            } else {
                StepSignatures.ofDeclared(name)?.checkDeclared(readNamed(call), readPlain(call), call) { message, place -> refuse(message, place) }
                if (what == 'option' && name == 'preserveStashes') {
                    checkStashCount(call)
                }
            }
        }
    }

    private void checkStashCount(MethodCallExpression option) {
        def count = readNamed(option)?.find { key, value -> key.text == 'buildCount' }?.value
        if (count instanceof ConstantExpression && count.value instanceof Integer && !(count.value in 1..50)) {
            refuse('The number of builds to preserve must be between 1 and 50.', option)
        }
    }

    protected void checkAgent(MethodCallExpression section) {
        if (section == null) {
            return
        }
        def words = readArguments(section)
        if (findBlock(section) == null) {
            def word = words.size() == 1 ? words[0] : null
            String name = word instanceof VariableExpression || word instanceof ConstantExpression ? word.text : null
            if (!(name in ['any', 'none'])) {
                misread('Only "agent none", "agent any" or "agent {...}" are allowed.', section)
                refuse('No agent type specified. Must be one of [any, label, none]', section)
            }
            return
        }
        def kinds = readStatements(section).collect { findCall(it) }
        if (kinds.isEmpty()) {
            refuse('No agent type specified. Must be one of [any, label, none]', section)
        }
        kinds.findAll { it == null || !(it.methodAsString in ['label', 'node', 'any', 'none', 'customWorkspace', 'reuseNode']) }.each {
            if (it == null) {
                refuse('No agent type specified. Must be one of [any, label, none]', section)
            } else {
                refuseName('agent', it.methodAsString, Declarative.invalidAgent(it.methodAsString), it)
            }
        }
    }

    /** Refuse a name in the words of Jenkins, or in those of the emulator if a plugin without a record may know it. */
    protected void refuseName(String what, String name, String words, ASTNode place) {
        refuse(unrecorded ? describeLack(what, name) : words, place)
    }

    static String describeLack(String what, String name) {
        "the ${what} ${name} is not known to the emulator, which has no record of the plugins ${unrecorded.join(', ')}"
    }

    /** Check the steps of `steps` or of a condition of `post`. */
    protected void checkBranch(MethodCallExpression section) {
        if (readStatements(section).isEmpty()) {
            refuse('No steps specified for branch', findBlock(section) ?: section)
        }
        readStatements(section).each { checkStep(it) }
    }

    protected void checkStep(Statement statement) {
        def call = findCall(statement)
        String name = call != null && call.implicitThis ? call.methodAsString : null
        if (call == null) {
            misread('Expected a step', statement)
            return
        }
        if (name == null) {
            misread('Expected a symbol', statement)
            // Jenkins goes on with the word 'error', which is a step.
            StepSignatures.ofStep('error').checkStep(null, [], false, statement) { message, place -> refuse(message, place) }
            return
        }
        StepSignatures.ofStep(name)?.checkStep(readNamed(call), readPlain(call), findBlock(call) != null, call) { message, place ->
            refuse(message, place)
        }
        if (!(name in ['script', 'parallel']) && findBlock(call) != null) {
            readStatements(call).each { checkStep(it) }
        }
    }
}
