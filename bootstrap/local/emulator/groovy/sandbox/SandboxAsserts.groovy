import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.ClassCodeVisitorSupport
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.EmptyExpression
import org.codehaus.groovy.ast.expr.Expression
import org.codehaus.groovy.ast.expr.NotExpression
import org.codehaus.groovy.ast.expr.BooleanExpression
import org.codehaus.groovy.ast.stmt.AssertStatement
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.EmptyStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.IfStatement
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.control.SourceUnit

/** Replaces `assert` by a condition and a failure that shows only the text of the assertion, as in Jenkins. */
@CompileStatic
class SandboxAsserts extends ClassCodeVisitorSupport {
    final SourceUnit sourceUnit

    SandboxAsserts(SourceUnit source) { sourceUnit = source }

    void visitBlockStatement(BlockStatement block) {
        super.visitBlockStatement(block)
        block.statements.eachWithIndex { Statement entry, int index ->
            if (entry instanceof AssertStatement) {
                block.statements[index] = replace((AssertStatement) entry)
            }
        }
    }

    private Statement replace(AssertStatement statement) {
        boolean hasMessage = !(statement.messageExpression instanceof EmptyExpression) &&
            !(statement.messageExpression instanceof ConstantExpression && ((ConstantExpression) statement.messageExpression).value == null)
        Expression message = hasMessage ? statement.messageExpression : new ConstantExpression(null)
        def failure = new ExpressionStatement(SandboxTransformer.gate('failAssertion', new ConstantExpression(readText(statement)), message))
        def condition = new BooleanExpression(new NotExpression(statement.booleanExpression))
        def replaced = new IfStatement(condition, failure, EmptyStatement.INSTANCE)
        replaced.sourcePosition = statement
        failure.sourcePosition = statement
        return replaced
    }

    /** Read the text of a statement in the Jenkinsfile. */
    private String readText(Statement statement) {
        List<String> lines = []
        for (int line = statement.lineNumber; line <= statement.lastLineNumber; line++) {
            String text = sourceUnit.source.getLine(line, null) ?: ''
            int end = line == statement.lastLineNumber ? Math.min(text.length(), statement.lastColumnNumber - 1) : text.length()
            int begin = line == statement.lineNumber ? Math.min(end, statement.columnNumber - 1) : 0
            lines << text.substring(begin, end)
        }
        return lines.join('\n').trim()
    }
}
