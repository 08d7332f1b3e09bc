import org.codehaus.groovy.ast.AnnotatedNode
import org.codehaus.groovy.ast.ClassCodeVisitorSupport
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.ListExpression
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer
import org.codehaus.groovy.control.messages.SimpleMessage

/** Refuses a Jenkinsfile that wants shared libraries by `@Library`: the emulator has none. */
class LibraryAnnotations extends CompilationCustomizer {
    LibraryAnnotations() { super(CompilePhase.CONVERSION) }

    void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        def reader = new LibraryNames(source)
        type.module.imports.each { reader.visitAnnotations(it) }
        reader.visitClass(type)
        if (reader.names) {
            Channel.call('_libraries', [names: reader.names])
            source.errorCollector.addErrorAndContinue(new SimpleMessage('Loading libraries failed', source))
            source.errorCollector.failIfErrors()
        }
    }
}

/** Collects the names in all `@Library` annotations of a class. */
class LibraryNames extends ClassCodeVisitorSupport {
    final SourceUnit sourceUnit
    final List<String> names = []

    LibraryNames(SourceUnit source) { sourceUnit = source }

    void visitAnnotations(AnnotatedNode node) {
        node.annotations.findAll { it.classNode.nameWithoutPackage == 'Library' }.each {
            def value = it.members.value
            def listed = value instanceof ListExpression ? value.expressions : [value]
            names.addAll(listed.findAll { entry -> entry instanceof ConstantExpression }*.value*.toString())
        }
    }
}
