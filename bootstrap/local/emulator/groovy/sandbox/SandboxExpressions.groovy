import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.ClassCodeExpressionTransformer
import org.codehaus.groovy.ast.ClassHelper
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.FieldNode
import org.codehaus.groovy.ast.Parameter
import org.codehaus.groovy.ast.PropertyNode
import org.codehaus.groovy.ast.Variable
import org.codehaus.groovy.ast.VariableScope
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.ForStatement
import org.codehaus.groovy.ast.stmt.ReturnStatement
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.messages.SyntaxErrorMessage
import org.codehaus.groovy.syntax.SyntaxException
import org.codehaus.groovy.syntax.Token
import org.codehaus.groovy.syntax.TokenUtil
import org.codehaus.groovy.syntax.Types

/** Rewrites the expressions of one class. A kind of expression that is not listed here is refused. */
@CompileStatic
class SandboxExpressions extends ClassCodeExpressionTransformer {
    // These evaluate their parts, or call methods whose names the script cannot choose.
    private static final List<Class> PLAIN = [BooleanExpression, NotExpression, ListExpression, MapExpression, MapEntryExpression, RangeExpression,
        TernaryExpression, ElvisOperatorExpression, SpreadExpression, SpreadMapExpression, GStringExpression, TupleExpression,
        ArgumentListExpression, NamedArgumentListExpression, ClosureListExpression, ConstantExpression, ClassExpression, EmptyExpression,
        UnaryMinusExpression, UnaryPlusExpression, BitwiseNegationExpression] as List<Class>
    private static final Map<Integer, String> METHODS = [(Types.PLUS): 'plus', (Types.MINUS): 'minus', (Types.MULTIPLY): 'multiply',
        (Types.DIVIDE): 'div', (Types.MOD): 'mod', (Types.POWER): 'power', (Types.BITWISE_AND): 'and', (Types.BITWISE_OR): 'or',
        (Types.BITWISE_XOR): 'xor', (Types.LEFT_SHIFT): 'leftShift', (Types.RIGHT_SHIFT): 'rightShift', (Types.INTDIV): 'intdiv',
        (Types.RIGHT_SHIFT_UNSIGNED): 'rightShiftUnsigned', (Types.LEFT_SQUARE_BRACKET): 'getAt']

    final SourceUnit sourceUnit
    private final ClassNode type
    /** The return type of the present method, if a cast to it must go through the gate. */
    ClassNode returns
    /** The number of closures around the expression. */
    int depth = 0
    /** Whether Jenkins rewrites the present method, so that the limits of this hold. */
    boolean isCps = true
    private boolean isDefault = false
    private final SandboxAssignments assignments = new SandboxAssignments(this)

    SandboxExpressions(SourceUnit source, ClassNode type) {
        this.sourceUnit = source
        this.type = type
    }

    Expression transform(Expression expression) {
        if (expression == null) {
            return null
        }
        Expression rewritten = rewrite(expression)
        if (!rewritten.is(expression)) {
            rewritten.sourcePosition = expression
        }
        return rewritten
    }

    private Expression rewrite(Expression expression) {
        switch (expression) {
            case ClosureExpression:
                return rewriteClosure((ClosureExpression) expression)
            case MethodCallExpression:
                return rewriteCall((MethodCallExpression) expression)
            case StaticMethodCallExpression:
                def fixed = (StaticMethodCallExpression) expression
                return gate('callStatic', new ClassExpression(fixed.ownerType), text(fixed.method), rewriteArguments(fixed.arguments))
            case ConstructorCallExpression:
                def construction = (ConstructorCallExpression) expression
                if (construction.isSpecialCall()) {
                    return new ConstructorCallExpression(construction.type, construction.arguments.transformExpression(this))
                }
                return gate('construct', new ClassExpression(construction.type), rewriteArguments(construction.arguments))
            case MethodPointerExpression:
                def pointer = (MethodPointerExpression) expression
                return gate('pointTo', transform(pointer.expression ?: VariableExpression.THIS_EXPRESSION), transform(pointer.methodName))
            case PropertyExpression:
                return rewriteProperty((PropertyExpression) expression)
            case VariableExpression:
                return rewriteVariable((VariableExpression) expression)
            case DeclarationExpression:
                return rewriteDeclaration((DeclarationExpression) expression)
            case BinaryExpression:
                return rewriteBinary((BinaryExpression) expression)
            case PostfixExpression:
                def postfix = (PostfixExpression) expression
                return assignments.rewriteStep(postfix.expression, postfix.operation, true, postfix)
            case PrefixExpression:
                def prefix = (PrefixExpression) expression
                return assignments.rewriteStep(prefix.expression, prefix.operation, false, prefix)
            case CastExpression:
                def cast = (CastExpression) expression
                if (needsCast(cast.type)) {
                    return gate('castTo', new ClassExpression(cast.type), transform(cast.expression), flag(cast.isCoerce()))
                }
                return cast.transformExpression(this)
            case ArrayExpression:
                def array = (ArrayExpression) expression
                if (needsCast(array.elementType)) {
                    throw new UnknownInSandbox("an array of ${array.elementType.name}".toString())
                }
                return array.transformExpression(this)
        }
        if (PLAIN.contains(expression.class)) {
            return expression.transformExpression(this)
        }
        throw new UnknownInSandbox("an expression of the kind ${expression.class.simpleName}".toString())
    }

    // Small parts

    private static Expression gate(String method, Expression... arguments) { SandboxTransformer.gate(method, arguments) }

    private static Expression text(String value) { new ConstantExpression(value) }

    private static Expression flag(boolean value) { new ConstantExpression(value, true) }

    /** Rewrite arguments as one list. */
    private Expression rewriteArguments(Expression arguments) {
        List<Expression> all = arguments instanceof TupleExpression ? ((TupleExpression) arguments).expressions : [arguments]
        def list = new ListExpression()
        for (Expression entry in all) {
            list.addExpression(entry instanceof NamedArgumentListExpression
                ? new MapExpression(((NamedArgumentListExpression) entry).mapEntryExpressions).transformExpression(this) : transform(entry))
        }
        return list
    }

    boolean needsCast(ClassNode to) {
        if (to.isArray()) {
            return needsCast(to.componentType)
        }
        return !(ClassHelper.isPrimitiveType(to) || SandboxCasts.SAFE.contains(to.name) || to.isInterface() || to == ClassHelper.VOID_TYPE)
    }

    Expression addCast(ClassNode to, Expression value) {
        return needsCast(to) ? gate('castTo', new ClassExpression(to), value, flag(false)) : value
    }

    /** An expression for the closure that is running. */
    Expression referToClosure() {
        if (isDefault) {
            return gate('findClosure', new MethodCallExpression(VariableExpression.THIS_EXPRESSION, 'asWritable', new ArgumentListExpression()))
        }
        return new VariableExpression('$gate' + depth)
    }

    private static boolean isLocal(Variable variable) { variable instanceof VariableExpression || variable instanceof Parameter }

    boolean isPlainLocal(Expression place) {
        return place instanceof VariableExpression && isLocal(((VariableExpression) place).accessedVariable) && !needsCast(((VariableExpression) place).originType)
    }

    /** Whether a variable is a field of this class, which the code of the class uses directly. */
    private boolean isDirect(Variable variable) {
        def field = variable instanceof PropertyNode ? ((PropertyNode) variable).field : variable
        return depth == 0 && field instanceof FieldNode && ((FieldNode) field).owner.redirect() == type.redirect() && type.fields.contains(field)
    }

    /** Whether the code may use a variable directly: it is local, or a field of this class. */
    boolean isOwnPlace(Variable variable) { isLocal(variable) || isDirect(variable) }

    // Kinds

    private Expression rewriteClosure(ClosureExpression expression) {
        depth++
        boolean wasDefault = isDefault
        ClassNode before = returns
        returns = null
        isDefault = true
        for (Parameter parameter in expression.parameters) {
            if (parameter.hasInitialExpression()) {
                // Jenkins does not evaluate the default values of the parameters of a closure.
                parameter.initialExpression = isCps ? new ConstantExpression(null) : addCast(parameter.type, transform(parameter.initialExpression))
            }
        }
        isDefault = false
        expression.code.visit(this)
        def start = new DeclarationExpression(new VariableExpression('$gate' + depth), Token.newSymbol(Types.ASSIGN, -1, -1),
            gate('findClosure', new MethodCallExpression(VariableExpression.THIS_EXPRESSION, 'asWritable', new ArgumentListExpression())))
        def code = new BlockStatement([new ExpressionStatement(start) as Statement], new VariableScope())
        code.addStatements(expression.code instanceof BlockStatement ? ((BlockStatement) expression.code).statements : [expression.code])
        expression.code = code
        depth--
        isDefault = wasDefault
        returns = before
        return SandboxTransformer.call(CpsShape.STATE, 'remember', expression)
    }

    private Expression rewriteCall(MethodCallExpression expression) {
        if (isCps && expression.isSpreadSafe()) {
            def fault = new SyntaxException('spread not yet supported for CPS transformation', expression.lineNumber, expression.columnNumber)
            sourceUnit.errorCollector.addErrorAndContinue(new SyntaxErrorMessage(fault, sourceUnit))
        }
        Expression arguments = rewriteArguments(expression.arguments)
        if (expression.objectExpression instanceof VariableExpression && ((VariableExpression) expression.objectExpression).isSuperExpression()) {
            return rewriteSuperCall(expression)
        }
        Expression name = transform(expression.method)
        if (expression.isImplicitThis() && depth > 0) {
            return gate('callImplicit', referToClosure(), name, arguments)
        }
        return gate('callMethod', transform(expression.objectExpression), flag(expression.isSafe()), flag(expression.isSpreadSafe()), name, arguments)
    }

    private Expression rewriteSuperCall(MethodCallExpression expression) {
        String name = expression.methodAsString
        ClassNode above = type.superClass
        boolean isOwn = false
        for (ClassNode it = above; it != null && type.module.classes.contains(it.redirect()); it = it.superClass) {
            isOwn = isOwn || (name != null && !it.getDeclaredMethods(name).isEmpty())
        }
        if (depth > 0 || type.isScriptBody() || !(isOwn || name in ['toString', 'equals', 'hashCode', 'getMessage'])) {
            throw new UnknownInSandbox("a call of super.${name ?: 'a name that is computed'}".toString())
        }
        def rewritten = new MethodCallExpression(expression.objectExpression, expression.method, expression.arguments.transformExpression(this))
        rewritten.implicitThis = false
        return rewritten
    }

    private Expression rewriteProperty(PropertyExpression expression) {
        Expression object = expression.objectExpression
        if (object instanceof VariableExpression && ((VariableExpression) object).isSuperExpression()) {
            throw new UnknownInSandbox("a property of super")
        }
        Expression name = transform(expression.property)
        if (expression instanceof AttributeExpression) {
            if (expression.isSpreadSafe()) {
                throw new UnknownInSandbox("a spread attribute")
            }
            return gate('readAttribute', transform(object), flag(expression.isSafe()), name)
        }
        return gate('readProperty', transform(object), flag(expression.isSafe()), flag(expression.isSpreadSafe()), name)
    }

    private Expression rewriteVariable(VariableExpression expression) {
        Variable accessed = expression.accessedVariable
        if (expression.isThisExpression() || isOwnPlace(accessed)) {
            return expression
        }
        if (expression.isSuperExpression()) {
            throw new UnknownInSandbox("super as an object")
        }
        if (depth > 0) {
            return gate('readImplicit', referToClosure(), text(expression.name))
        }
        return gate('readProperty', VariableExpression.THIS_EXPRESSION, flag(false), flag(false), text(expression.name))
    }

    private Expression rewriteDeclaration(DeclarationExpression expression) {
        List<Expression> names = expression.leftExpression instanceof TupleExpression ? ((TupleExpression) expression.leftExpression).expressions
            : [expression.leftExpression]
        Expression value = transform(expression.rightExpression)
        for (Expression name in names) {
            ClassNode to = ((VariableExpression) name).originType
            if (needsCast(to) && names.size() > 1) {
                throw new UnknownInSandbox("a variable of the type ${to.name} among several".toString())
            }
            value = names.size() > 1 || value instanceof EmptyExpression ? value : addCast(to, value)
        }
        return new DeclarationExpression(expression.leftExpression, expression.operation, value)
    }

    private Expression rewriteBinary(BinaryExpression expression) {
        int kind = expression.operation.type
        if (kind == Types.ASSIGN) {
            return assignments.rewriteAssignment(expression.leftExpression, transform(expression.rightExpression), expression)
        }
        int plain = TokenUtil.removeAssignment(kind)
        if (plain != kind) {
            return assignments.rewriteCompound(expression, METHODS[plain])
        }
        Expression left = transform(expression.leftExpression), right = transform(expression.rightExpression)
        if (METHODS.containsKey(kind)) {
            return gate('operate', text(METHODS[kind]), left, right)
        }
        return new BinaryExpression(left, expression.operation, right)
    }

    // Statements

    void visitReturnStatement(ReturnStatement statement) {
        super.visitReturnStatement(statement)
        if (returns != null && depth == 0) {
            statement.expression = addCast(returns, statement.expression)
        }
    }

    void visitForLoop(ForStatement loop) {
        if (loop.variable != ForStatement.FOR_LOOP_DUMMY && needsCast(loop.variable.type)) {
            throw new UnknownInSandbox("a loop over a variable of the type ${loop.variable.type.name}".toString())
        }
        super.visitForLoop(loop)
    }
}
