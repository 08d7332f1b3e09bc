import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.ClassCodeVisitorSupport
import org.codehaus.groovy.ast.ClassHelper
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.MethodNode
import org.codehaus.groovy.ast.Parameter
import org.codehaus.groovy.ast.VariableScope
import org.codehaus.groovy.ast.expr.BinaryExpression
import org.codehaus.groovy.ast.expr.ClassExpression
import org.codehaus.groovy.ast.expr.ClosureExpression
import org.codehaus.groovy.ast.expr.ClosureListExpression
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.DeclarationExpression
import org.codehaus.groovy.ast.expr.EmptyExpression
import org.codehaus.groovy.ast.expr.Expression
import org.codehaus.groovy.ast.expr.ListExpression
import org.codehaus.groovy.ast.expr.VariableExpression
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.ForStatement
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.ast.stmt.TryCatchStatement
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.syntax.Types

/** Makes the code of a Jenkinsfile tell what it runs and what its variables hold; methods with @NonCPS stay as they are. */
@CompileStatic
class CpsShape extends ClassCodeVisitorSupport {
    private static final ClassNode CPS = ClassHelper.make(Cps)
    static final ClassNode STATE = ClassHelper.make(CpsState)

    final SourceUnit sourceUnit
    private boolean isInside = false

    CpsShape(SourceUnit source) { sourceUnit = source }

    static boolean isRewritten(MethodNode method) {
        return !method.annotations.any { it.classNode.nameWithoutPackage == 'NonCPS' }
    }

    private static Expression call(ClassNode type, String name, Expression... arguments) { SandboxTransformer.call(type, name, arguments) }

    private static Statement statement(Expression expression) { new ExpressionStatement(expression) }

    private static Statement guard(List<Statement> code, Statement last) {
        return new TryCatchStatement(new BlockStatement(code, new VariableScope()), new BlockStatement([last], new VariableScope()))
    }

    void visitMethod(MethodNode method) {
        boolean isMain = method.isStatic() && method.name == 'main'
        if (method.isAbstract() || method.code == null || isMain || method.isSynthetic() || !isRewritten(method) || method.name.contains('$')) {
            return
        }
        isInside = true
        method.code.visit(this)
        isInside = false
        Expression target = method.isStatic() ? new ClassExpression(method.declaringClass) : VariableExpression.THIS_EXPRESSION
        Expression begin = call(CPS, 'enterMethod', target, new ConstantExpression(method.name), names(method.parameters), values(method.parameters))
        List<Statement> code = method.code instanceof BlockStatement ? ((BlockStatement) method.code).statements : [method.code]
        method.code = new BlockStatement([statement(begin), guard(code, statement(call(STATE, 'leave')))] as List<Statement>, new VariableScope())
    }

    private static ListExpression names(Parameter[] parameters) {
        return new ListExpression(parameters.collect { Parameter it -> (Expression) new ConstantExpression(it.name) })
    }

    private static ListExpression values(Parameter[] parameters) {
        return new ListExpression(parameters.collect { Parameter it -> (Expression) new VariableExpression(it) })
    }

    void visitClosureExpression(ClosureExpression closure) {
        super.visitClosureExpression(closure)
        if (!isInside || !(closure.code instanceof BlockStatement)) {
            return
        }
        // The first statement finds the closure itself (see SandboxExpressions).
        List<Statement> code = ((BlockStatement) closure.code).statements
        def itself = (VariableExpression) ((DeclarationExpression) ((ExpressionStatement) code[0]).expression).leftExpression
        boolean isImplicit = closure.parameters != null && closure.parameters.length == 0
        Expression labels = isImplicit ? new ListExpression([new ConstantExpression('it') as Expression]) : closure.parameters == null ? new ListExpression() : names(closure.parameters)
        Expression given = isImplicit ? new ListExpression([new VariableExpression('it') as Expression]) : closure.parameters == null ? new ListExpression() : values(closure.parameters)
        Expression begin = call(CPS, 'enterClosure', new VariableExpression(itself.name), labels, given)
        closure.code = new BlockStatement([code[0], statement(begin), guard(code.drop(1), statement(call(STATE, 'leave')))] as List<Statement>, new VariableScope())
    }

    void visitBlockStatement(BlockStatement block) {
        super.visitBlockStatement(block)
        if (!isInside) {
            return
        }
        for (int index = 0; index < block.statements.size(); index++) {
            Statement entry = block.statements[index]
            if (entry instanceof ForStatement && !(((ForStatement) entry).collectionExpression instanceof ClosureListExpression)) {
                block.statements[index] = wrapLoop((ForStatement) entry)
            }
        }
        if (block.statements.any { declares(it) }) {
            List<Statement> code = new ArrayList<Statement>(block.statements)
            boolean isClosure = code[0] instanceof ExpressionStatement && isMarker(((ExpressionStatement) code[0]).expression)
            List<Statement> kept = isClosure ? code.take(1) : []
            List<Statement> rest = isClosure ? code.drop(1) : code
            block.statements.clear()
            block.statements.addAll(kept)
            block.statements.add(statement(call(STATE, 'openBlock')))
            block.statements.add(guard(rest, statement(call(STATE, 'closeBlock'))))
        }
    }

    private static boolean isMarker(Expression expression) {
        return expression instanceof DeclarationExpression && !((DeclarationExpression) expression).isMultipleAssignmentDeclaration() &&
            ((DeclarationExpression) expression).variableExpression.name.startsWith('$gate')
    }

    private static boolean declares(Statement entry) {
        return entry instanceof ExpressionStatement && ((ExpressionStatement) entry).expression instanceof DeclarationExpression &&
            !isMarker(((ExpressionStatement) entry).expression)
    }

    private static Statement wrapLoop(ForStatement loop) {
        loop.collectionExpression = call(STATE, 'openLoop', loop.collectionExpression)
        Expression held = call(STATE, 'declare', new ConstantExpression(loop.variable.name), new VariableExpression(loop.variable))
        loop.loopBlock = new BlockStatement([statement(held), loop.loopBlock] as List<Statement>, new VariableScope())
        return guard([loop as Statement], statement(call(STATE, 'closeLoop')))
    }

    void visitDeclarationExpression(DeclarationExpression expression) {
        super.visitDeclarationExpression(expression)
        if (isInside && !expression.isMultipleAssignmentDeclaration() && !isMarker(expression) && !(expression.rightExpression instanceof EmptyExpression)) {
            expression.rightExpression = call(STATE, 'declare', new ConstantExpression(expression.variableExpression.name), expression.rightExpression)
        }
    }

    void visitBinaryExpression(BinaryExpression expression) {
        super.visitBinaryExpression(expression)
        if (isInside && expression.operation.type == Types.ASSIGN && expression.leftExpression instanceof VariableExpression) {
            String name = ((VariableExpression) expression.leftExpression).name
            expression.rightExpression = call(STATE, 'keep', new ConstantExpression(name), expression.rightExpression)
        }
    }
}
