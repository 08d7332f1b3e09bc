import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.syntax.Token
import org.codehaus.groovy.syntax.Types

/** Rewrites assignments: `=`, `+=` and similar, `++` and `--`, to variables, properties, attributes and `[index]`. */
@CompileStatic
class SandboxAssignments {
    private final SandboxExpressions rewriting

    SandboxAssignments(SandboxExpressions rewriting) {
        this.rewriting = rewriting
    }

    private static Expression gate(String method, Expression... arguments) { SandboxTransformer.gate(method, arguments) }

    private static Expression text(String value) { new ConstantExpression(value) }

    private static Expression flag(boolean value) { new ConstantExpression(value, true) }

    Expression rewriteAssignment(Expression left, Expression value, BinaryExpression whole) {
        switch (left) {
            case VariableExpression:
                def name = (VariableExpression) left
                if (rewriting.isOwnPlace(name.accessedVariable)) {
                    return new BinaryExpression(left, whole.operation, rewriting.addCast(name.accessedVariable.originType, value))
                }
                if (rewriting.depth > 0) {
                    return gate('writeImplicit', rewriting.referToClosure(), text(name.name), value)
                }
                return gate('writeProperty', VariableExpression.THIS_EXPRESSION, flag(false), flag(false), text(name.name), value)
            case AttributeExpression:
                def attribute = (AttributeExpression) left
                return gate('writeAttribute', rewriting.transform(attribute.objectExpression), rewriting.transform(attribute.property), value)
            case PropertyExpression:
                def property = (PropertyExpression) left
                return gate('writeProperty', rewriting.transform(property.objectExpression), flag(property.isSafe()), flag(property.isSpreadSafe()),
                    rewriting.transform(property.property), value)
            case BinaryExpression:
                def index = (BinaryExpression) left
                if (index.operation.type == Types.LEFT_SQUARE_BRACKET) {
                    return gate('writeIndex', rewriting.transform(index.leftExpression), rewriting.transform(index.rightExpression), value)
                }
                break
            case TupleExpression:
                if (((TupleExpression) left).expressions.every { rewriting.isPlainLocal(it) }) {
                    return new BinaryExpression(left, whole.operation, value)
                }
        }
        throw new UnknownInSandbox("an assignment to ${left.text}".toString())
    }

    Expression rewriteCompound(BinaryExpression expression, String method) {
        Expression left = expression.leftExpression, value = rewriting.transform(expression.rightExpression)
        if (method == null) {
            throw new UnknownInSandbox("the operator ${expression.operation.text}".toString())
        }
        if (left instanceof VariableExpression && rewriting.isOwnPlace(((VariableExpression) left).accessedVariable)) {
            def to = ((VariableExpression) left).accessedVariable.originType
            return new BinaryExpression(left, Token.newSymbol(Types.ASSIGN, expression.operation.startLine, expression.operation.startColumn),
                rewriting.addCast(to, gate('operate', text(method), left, value)))
        }
        return rewriteChange(left, method, value, false)
    }

    private Expression rewriteChange(Expression left, String method, Expression value, boolean isPostfix) {
        switch (left) {
            case VariableExpression:
                if (rewriting.depth > 0) {
                    return gate('change', text('implicit'), rewriting.referToClosure(), text(((VariableExpression) left).name), text(method), value, flag(isPostfix))
                }
                return gate('change', text('property'), VariableExpression.THIS_EXPRESSION, text(((VariableExpression) left).name), text(method), value,
                    flag(isPostfix))
            case PropertyExpression:
                def property = (PropertyExpression) left
                if (property.isSpreadSafe()) {
                    throw new UnknownInSandbox("a change of ${left.text}".toString())
                }
                return gate('change', text(left instanceof AttributeExpression ? 'attribute' : 'property'), rewriting.transform(property.objectExpression),
                    rewriting.transform(property.property), text(method), value, flag(isPostfix))
            case BinaryExpression:
                def index = (BinaryExpression) left
                if (index.operation.type == Types.LEFT_SQUARE_BRACKET) {
                    return gate('change', text('index'), rewriting.transform(index.leftExpression), rewriting.transform(index.rightExpression), text(method), value,
                        flag(isPostfix))
                }
        }
        throw new UnknownInSandbox("a change of ${left.text}".toString())
    }

    Expression rewriteStep(Expression place, Token operation, boolean isPostfix, Expression whole) {
        if (place instanceof VariableExpression && rewriting.isOwnPlace(((VariableExpression) place).accessedVariable)) {
            return whole
        }
        if (place instanceof ConstantExpression || place instanceof MethodCallExpression) {
            throw new UnknownInSandbox("a change of ${place.text}".toString())
        }
        return rewriteChange(place, operation.type == Types.PLUS_PLUS ? 'next' : 'previous', ConstantExpression.NULL, isPostfix)
    }
}
