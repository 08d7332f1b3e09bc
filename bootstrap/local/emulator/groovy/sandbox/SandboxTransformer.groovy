import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.ClassHelper
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.FieldNode
import org.codehaus.groovy.ast.MethodNode
import org.codehaus.groovy.ast.Parameter
import org.codehaus.groovy.ast.VariableScope
import org.codehaus.groovy.ast.expr.ArgumentListExpression
import org.codehaus.groovy.ast.expr.Expression
import org.codehaus.groovy.ast.expr.StaticMethodCallExpression
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.EmptyStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.classgen.ReturnAdder
import org.codehaus.groovy.classgen.VariableScopeVisitor
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer

/** Rewrites a sandboxed script, so that all its calls, reads, writes, constructions and casts go through the gate. */
@CompileStatic
class SandboxTransformer extends CompilationCustomizer {
    static final ClassNode GATE = ClassHelper.make(SandboxGate)

    SandboxTransformer() { super(CompilePhase.CANONICALIZATION) }

    void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        checkAncestors(type)
        if (type.isEnum()) {
            // This runs before any other code of the class.
            type.addStaticInitializerStatements([new ExpressionStatement(gate('refuseEnumeration')) as Statement], true)
            return
        }
        def rewriting = new SandboxExpressions(source, type)
        for (FieldNode field in type.fields) {
            if (field.hasInitialExpression()) {
                field.initialValueExpression = rewriting.addCast(field.type, rewriting.transform(field.initialExpression))
            }
        }
        for (Statement statement in type.objectInitializerStatements) {
            statement.visit(rewriting)
        }
        if (!type.isScriptBody()) {
            type.declaredConstructors.each { rewriteMethod(rewriting, it) }
        }
        for (MethodNode method in new ArrayList<MethodNode>(type.methods)) {
            if (type.isScriptBody() && method.isStatic() && method.name == 'main') {
                method.code = EmptyStatement.INSTANCE  // Groovy's own method that starts a script
            } else {
                rewriteMethod(rewriting, method)
            }
        }
        new SandboxAsserts(source).visitClass(type)
        new CpsShape(source).visitClass(type)
        new VariableScopeVisitor(source).visitClass(type)
    }

    private static void rewriteMethod(SandboxExpressions rewriting, MethodNode method) {
        for (Parameter parameter in method.parameters) {
            if (parameter.hasInitialExpression()) {
                parameter.initialExpression = rewriting.addCast(parameter.type, rewriting.transform(parameter.initialExpression))
            }
        }
        if (method.code == null) {
            return
        }
        rewriting.returns = rewriting.needsCast(method.returnType) && method.returnType != ClassHelper.VOID_TYPE ? method.returnType : null
        if (rewriting.returns != null) {
            new ReturnAdder().visitMethod(method)
        }
        rewriting.isCps = CpsShape.isRewritten(method)
        method.code.visit(rewriting)
        rewriting.returns = null
    }

    private static void checkAncestors(ClassNode type) {
        ClassNode above = type.superClass
        boolean isKnown = type.isScriptBody() ? above.name == 'PipelineScript' : above == null || above.name in ['java.lang.Object', 'java.lang.Exception',
            'java.lang.RuntimeException'] || (type.isEnum() && above.name == 'java.lang.Enum') || type.module.classes.contains(above.redirect())
        if (!isKnown || (type.module.classes.contains(above?.redirect()) && above.redirect().isScriptBody())) {
            throw new UnknownInSandbox("a class that extends ${above.name}".toString())
        }
        for (ClassNode entry in type.unresolvedInterfaces) {
            boolean isOwn = type.module.classes.contains(entry.redirect())
            if (!isOwn && entry.name != 'groovy.lang.GroovyObject' && !SandboxRules.permitsInterface(entry.name)) {
                throw new UnknownInSandbox("a class that implements ${entry.name}".toString())
            }
        }
    }

    static StaticMethodCallExpression gate(String method, Expression... arguments) { call(GATE, method, arguments) }

    static StaticMethodCallExpression call(ClassNode type, String method, Expression... arguments) {
        return new StaticMethodCallExpression(type, method, new ArgumentListExpression(arguments))
    }
}
