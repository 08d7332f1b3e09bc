import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.VariableScope
import org.codehaus.groovy.ast.expr.BinaryExpression
import org.codehaus.groovy.ast.expr.ClosureExpression
import org.codehaus.groovy.ast.expr.Expression
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer

/**
 * Makes closures of the values of `environment { }`: they are evaluated within the credentials of the same block, and see each other.
 * The call of `credentials` stays as it is.
 */
class EnvironmentClosures extends CompilationCustomizer {
    private static final List<String> OF_STEPS = ['steps', 'post', 'when', 'script']
    private final Set<BlockStatement> done = []

    EnvironmentClosures() { super(CompilePhase.CONVERSION) }

    void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        def block = source.AST.statementBlock
        if (done.add(block)) {
            block.statements.each { statement ->
                def call = Structure.findCall(statement)
                if (call?.methodAsString == 'pipeline') {
                    visitSection(call)
                }
            }
        }
    }

    private void visitSection(MethodCallExpression section) {
        for (statement in Structure.readStatements(section)) {
            def call = Structure.findCall(statement)
            if (call?.methodAsString == 'environment') {
                Structure.readStatements(call).each { wrap(it) }
            } else if (call != null && !(call.methodAsString in OF_STEPS)) {
                visitSection(call)
            }
        }
    }

    private static void wrap(Statement statement) {
        def entry = statement instanceof ExpressionStatement ? statement.expression : null
        if (!(entry instanceof BinaryExpression)) {
            return
        }
        Expression value = ((BinaryExpression) entry).rightExpression
        if (value instanceof MethodCallExpression && value.implicitThis && value.methodAsString == 'credentials') {
            return
        }
        def body = new ExpressionStatement(value)
        body.sourcePosition = value
        def closure = new ClosureExpression(null, new BlockStatement([body as Statement], new VariableScope()))
        closure.variableScope = new VariableScope()
        closure.sourcePosition = value
        ((BinaryExpression) entry).rightExpression = closure
    }
}
