import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.MethodCallExpression

/** Checks the stages of a declarative pipeline, and what only the pipeline or only a stage has. */
class Structure extends SectionChecks {
    private static final List<String> SHARED = ['agent', 'environment', 'tools', 'options', 'stages', 'post']
    private static final List<String> OF_ROOT = SHARED + ['parameters', 'triggers', 'libraries']
    private static final List<String> OF_STAGE = SHARED + ['steps', 'when', 'input', 'failFast', 'matrix', 'parallel']
    private static final List<String> OF_MATRIX = SHARED + ['axes', 'excludes', 'when', 'input', 'failFast']
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

    Structure(Map tools) { super(tools) }

    List<Fault> check(MethodCallExpression pipeline) {
        Map<String, MethodCallExpression> sections = readSections(pipeline, OF_ROOT) { name -> "Undefined section \"${name}\"" }
        ['stages', 'agent'].findAll { !sections.containsKey(it) }.each { refuse("Missing required section \"${it}\"", pipeline) }
        if (sections.stages) {
            checkStages(sections.stages, sections.stages, 'No stages specified', false)
        }
        checkShared(sections)
        checkKinds(sections.options, 'option', OPTIONS)
        checkKinds(sections.parameters, 'parameter', PARAMETERS)
        checkKinds(sections.triggers, 'trigger', TRIGGERS)
        checkFilled(sections.libraries, 'libraries can not be empty')
        return unread + invalid
    }

    private void checkConditions(MethodCallExpression section) {
        for (statement in readStatements(section)) {
            def call = findCall(statement)
            String name = call?.methodAsString
            if (name in ['beforeAgent', 'beforeInput', 'beforeOptions']) {
                continue
            }
            if (!WHEN.contains(name)) {
                refuseName('condition', name, "Unknown conditional ${name}. Valid conditionals are: ${WHEN.join(', ')}", statement)
            } else if (name in ['allOf', 'anyOf', 'not']) {
                int count = readStatements(call).size()
                if (name == 'not' && count != 1) {
                    refuse('Nested when condition "not" requires exactly 1 child condition(s).', call)
                } else if (count == 0) {
                    refuse("Nested when condition \"${name}\" requires at least one child condition.", call)
                }
                checkConditions(call)
            }
        }
    }

    private void checkStages(MethodCallExpression section, ASTNode place, String empty, boolean isParallel) {
        int count = 0
        Set<String> own = []
        for (statement in readStatements(section)) {
            def call = findCall(statement)
            if (call?.methodAsString != 'stage') {
                misread('Expected a stage', statement)
                continue
            }
            count++
            String name = checkStage(call, isParallel)
            if (name != null && !own.add(name)) {
                refuse("Duplicate stage name: \"${name}\"", section)
            }
        }
        if (count == 0) {
            refuse(empty, place)
        }
    }

    /** Check a stage; its name, or null if it has none. */
    private String checkStage(MethodCallExpression call, boolean isParallel) {
        def words = readArguments(call)
        String name = null
        if (words.size() == 2 && words[0] instanceof ConstantExpression) {
            name = words[0].text ?: 'error'
        } else {
            misread('Expected string literal', words ? words[0] : call)
        }
        if (words.size() != 2 || findBlock(call) == null) {
            misread('Stage does not have a block', call)
        }
        Closure<String> describe = { unknown ->
            "Unknown stage section \"${unknown}\". Starting with version 0.5, steps in a stage must be in a \u2018steps\u2019 block."
        }
        Map<String, MethodCallExpression> sections = name == null ? [:] : readSections(call, OF_STAGE, describe, call)
        def bodies = BODIES.findAll { sections.containsKey(it) }
        if (bodies.isEmpty()) {
            refuse("Expected one of \"steps\", \"stages\", or \"parallel\" for stage \"${name ?: 'error'}\"", call)
        } else if (bodies.size() > 1) {
            refuse("Only one of \"matrix\", \"parallel\", \"stages\", or \"steps\" allowed for stage \"${name}\"", call)
        }
        checkBody(sections, isParallel)
        checkShared(sections)
        checkGuards(sections)
        return name
    }

    private void checkBody(Map<String, MethodCallExpression> sections, boolean isParallel) {
        if (sections.steps) {
            checkBranch(sections.steps)
        }
        if (sections.stages) {
            checkStages(sections.stages, sections.stages, 'No stages specified', isParallel)
        }
        def branching = sections.parallel ?: sections.matrix
        if (branching != null && isParallel) {
            refuse('"matrix" or "parallel" cannot be nested inside another "matrix" or "parallel".', branching)
        }
        if (sections.parallel) {
            checkStages(sections.parallel, sections.parallel, 'No stages specified', true)
        }
        if (sections.matrix) {
            checkMatrix(sections.matrix)
        }
    }

    private void checkGuards(Map<String, MethodCallExpression> sections) {
        checkKinds(sections.options, 'option', STAGE_OPTIONS)
        if (sections.when) {
            checkConditions(sections.when)
        }
        checkFilled(sections.when, 'Empty when closure, remove the property or add some content.')
        if (sections.input && findBlock(sections.input) && !readStatements(sections.input).any { findCall(it)?.methodAsString == 'message' }) {
            refuse('No message specified for input', sections.input)
        }
    }

    private void checkMatrix(MethodCallExpression section) {
        Map<String, MethodCallExpression> sections = readSections(section, OF_MATRIX) { name -> "Undefined section \"${name}\"" }
        ['axes', 'stages'].findAll { !sections.containsKey(it) }.each { refuse("Missing required section \"${it}\"", section) }
        if (sections.axes) {
            checkAxes(sections.axes)
        }
        if (sections.stages) {
            checkStages(sections.stages, sections.stages, 'No stages specified', true)
        }
        checkShared(sections)
        checkGuards(sections)
    }

    private void checkAxes(MethodCallExpression section) {
        int count = 0
        for (statement in readStatements(section)) {
            def axis = findCall(statement)
            if (axis?.methodAsString != 'axis') {
                misread('Expected an axis', statement)
                continue
            }
            count++
            def words = readStatements(axis).collect { findCall(it)?.methodAsString }
            ['name', 'values'].findAll { !words.contains(it) }.each { refuse("Missing required section \"${it}\"", axis) }
        }
        if (count == 0) {
            refuse('No axis directives specified', section)
        }
    }
}
