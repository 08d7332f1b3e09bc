import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.AnnotatedNode
import org.codehaus.groovy.ast.AnnotationNode
import org.codehaus.groovy.ast.ClassCodeVisitorSupport
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.ImportNode
import org.codehaus.groovy.ast.InnerClassNode
import org.codehaus.groovy.ast.MethodNode
import org.codehaus.groovy.ast.Parameter
import org.codehaus.groovy.ast.expr.ClosureExpression
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer

/** Refuses what no sandboxed script may contain. It runs as soon as Groovy has the syntax tree, before annotations have an effect. */
@CompileStatic
class SandboxShape extends CompilationCustomizer {
    // Jenkins refuses these with its own message; the emulator refuses all others that are not permitted.
    private static final Set<String> REFUSED = ['Grab', 'GrabConfig', 'GrabExclude', 'GrabResolver', 'Grapes', 'ASTTest', 'AnnotationCollector'] as Set
    private static final Map<String, String> PERMITTED = [NonCPS: 'com.cloudbees.groovy.cps.NonCPS', Field: 'groovy.transform.Field',
        Override: 'java.lang.Override', Deprecated: 'java.lang.Deprecated', SuppressWarnings: 'java.lang.SuppressWarnings']
    // Groovy calls methods of these names without the gate.
    private static final Set<String> RESERVED = ['getProperty', 'setProperty', 'invokeMethod', 'getMetaClass', 'setMetaClass'] as Set

    SandboxShape() { super(CompilePhase.CONVERSION) }

    void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        if (type.module.package != null) {
            throw new UnknownInSandbox("the package ${type.module.packageName}".toString())
        }
        for (ImportNode entry in type.module.imports) {
            String known = PERMITTED[entry.alias]
            if (known != null && known != entry.className) {
                throw new UnknownInSandbox("an import of ${entry.className} as ${entry.alias}".toString())
            }
        }
        if (type instanceof InnerClassNode) {
            throw new UnknownInSandbox("the inner class ${type.name}".toString())
        }
        if (SandboxShape.classLoader.getResource(type.name.replace('.', '/') + '.class') != null) {
            throw new UnknownInSandbox("a class that takes the name of ${type.name}".toString())
        }
        // Groovy itself adds such methods to an enumeration; no code of an enumeration runs (see SandboxTransformer).
        List<MethodNode> methods = type.isEnum() ? new ArrayList<MethodNode>() : type.methods
        for (MethodNode method in methods) {
            boolean isHook = type.isScriptBody() && method.name in ['methodMissing', 'propertyMissing']
            if (RESERVED.contains(method.name) || isHook || method.name.contains('$')) {
                throw new UnknownInSandbox("a method with the name ${method.name}".toString())
            }
        }
        new SandboxAnnotations(source).visitClass(type)
    }

    static void check(AnnotationNode annotation) {
        String name = annotation.classNode.name
        if (name == 'groovy.transform.BaseScript' && annotation.lineNumber < 1) {
            return  // the annotation of the runner, which is in no text
        }
        String last = name.substring(name.lastIndexOf('.') + 1)
        if (REFUSED.contains(last)) {
            def refusal = new SecurityException("Annotation ${last} cannot be used in the sandbox.".toString())
            refusal.stackTrace = new StackTraceElement[0]
            throw refusal
        }
        if (PERMITTED[last] == null || (name != last && PERMITTED[last] != name)) {
            throw new UnknownInSandbox("the annotation ${name}".toString())
        }
        if (annotation.members.values().any { !(it instanceof ConstantExpression) }) {
            throw new UnknownInSandbox("the arguments of the annotation ${name}".toString())
        }
    }
}

/** Checks all annotations of a class, also those of its members, parameters and closures. */
@CompileStatic
class SandboxAnnotations extends ClassCodeVisitorSupport {
    final SourceUnit sourceUnit

    SandboxAnnotations(SourceUnit source) { sourceUnit = source }

    void visitAnnotations(AnnotatedNode node) { node.annotations.each { SandboxShape.check(it) } }

    void visitMethod(MethodNode node) {
        visitParameters(node.parameters)
        super.visitMethod(node)
    }

    void visitConstructor(org.codehaus.groovy.ast.ConstructorNode node) {
        visitParameters(node.parameters)
        super.visitConstructor(node)
    }

    void visitClosureExpression(ClosureExpression expression) {
        visitParameters(expression.parameters)
        super.visitClosureExpression(expression)
    }

    private void visitParameters(Parameter[] all) {
        for (Parameter parameter in all) {
            visitAnnotations(parameter)
            if (parameter.hasInitialExpression()) {
                parameter.initialExpression.visit(this)
            }
        }
    }
}
