import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.Expression

/** The parameters of steps, options, parameters and triggers that Jenkins checks before a declarative pipeline runs. */
class StepSignatures {
    private static final String TEXT = 'class java.lang.String', NUMBER = 'int', TRUTH = 'boolean', UNIT = 'class java.util.concurrent.TimeUnit',
        ANYTHING = ''
    private static final List<String> UNITS = ['NANOSECONDS', 'MICROSECONDS', 'MILLISECONDS', 'SECONDS', 'MINUTES', 'HOURS', 'DAYS']
    private static final Map<String, String> KINDS = [text: TEXT, number: NUMBER, truth: TRUTH, unit: UNIT, any: ANYTHING]

    /** For each name its parameters with their kinds; a star marks those that must be given. */
    private static final Map<String, String> STEPS = [
        ansiColor       : 'colorMapName*:text',
        archiveArtifacts: 'artifacts*:text allowEmptyArchive:truth caseSensitive:truth defaultExcludes:truth excludes:text fingerprint:truth'
            + ' followSymlinks:truth onlyIfSuccessful:truth',
        bat             : 'script*:text encoding:text label:text returnStatus:truth returnStdout:truth',
        build           : 'job*:text parameters:any propagate:truth quietPeriod:number wait:truth waitForStart:truth',
        catchError      : 'buildResult:text catchInterruptions:truth message:text stageResult:text',
        checkout        : 'scm*:any changelog:truth poll:truth',
        deleteDir       : '',
        dir             : 'path*:text',
        echo            : 'message*:text',
        error           : 'message*:text',
        fileExists      : 'file*:text',
        fingerprint     : 'targets*:text caseSensitive:truth defaultExcludes:truth excludes:text',
        git             : 'url*:text branch:text changelog:truth credentialsId:text poll:truth',
        input           : 'message*:text cancel:text id:text ok:text parameters:any submitter:text submitterParameter:text',
        isUnix          : '',
        junit           : 'testResults*:text allowEmptyResults:truth checksName:text healthScaleFactor:any keepLongStdio:truth keepProperties:truth'
            + ' keepTestNames:truth skipMarkingBuildUnstable:truth skipOldReports:truth skipPublishingChecks:truth stdioRetention:text'
            + ' testDataPublishers:any',
        load            : 'path*:text',
        pwd             : 'tmp:truth',
        readFile        : 'file*:text encoding:text',
        retry           : 'count*:number conditions:any',
        sh              : 'script*:text encoding:text label:text returnStatus:truth returnStdout:truth',
        sleep           : 'time*:number unit:unit',
        stash           : 'name*:text allowEmpty:truth excludes:text includes:text useDefaultExcludes:truth',
        timeout         : 'time*:number activity:truth unit:unit',
        timestamps      : '',
        tool            : 'name*:text type:text',
        unstable        : 'message*:text',
        unstash         : 'name*:text',
        warnError       : 'message*:text catchInterruptions:truth',
        withCredentials : 'bindings*:any',
        withEnv         : 'overrides*:any',
        writeFile       : 'file*:text text*:text encoding:text',
        ws              : 'dir*:text',
    ]
    private static final Map<String, String> DECLARED = [
        booleanParam           : 'name*:text defaultValue:truth description:text',
        checkoutToSubdirectory : 'subdirectory*:text',
        choice                 : 'name*:text choices:any description:text',
        cron                   : 'spec*:text',
        disableConcurrentBuilds: 'abortPrevious:truth',
        password               : 'name*:text defaultValue:text defaultValueAsSecret:any description:text',
        pollSCM                : 'scmpoll_spec*:text ignorePostCommitHooks:truth',
        quietPeriod            : 'quietPeriod*:number',
        retry                  : STEPS.retry,
        skipDefaultCheckout    : 'skip:truth',
        string                 : 'name*:text defaultValue:text description:text trim:truth',
        text                   : 'name*:text defaultValue:text description:text trim:truth',
        timeout                : STEPS.timeout,
        upstream               : 'upstreamProjects*:text threshold:any',
    ]

    final String name
    private final Map<String, String> parameters = [:]
    private final List<String> needed = []

    private StepSignatures(String name, String text) {
        this.name = name
        for (entry in text.tokenize(' ')) {
            def (String word, String kind) = entry.tokenize(':') as List<String>
            String parameter = word - '*'
            parameters[parameter] = KINDS[kind]
            if (word.endsWith('*')) {
                needed << parameter
            }
        }
    }

    /** The parameters of a step; null if they are not checked. */
    static StepSignatures ofStep(String name) { STEPS.containsKey(name) ? new StepSignatures(name, STEPS[name]) : null }

    /** The parameters of an option, a parameter or a trigger; null if they are not checked. */
    static StepSignatures ofDeclared(String name) { DECLARED.containsKey(name) ? new StepSignatures(name, DECLARED[name]) : null }

    /** Find the faults of a step's arguments, each with its place; `fault` takes them. */
    void checkStep(Map<ConstantExpression, Expression> named, List<Expression> plain, boolean hasBody, Object place, Closure fault) {
        if (named == null && plain.size() > 1) {
            fault("Arguments to \"${name}\" must be explicitly named.", place)
        } else if (named == null && plain.size() == 1) {
            if (sole != null) {
                checkValue(plain[0], parameters[sole], '', fault)
            } else if (!hasBody) {
                fault('Step does not take a single required parameter - use named parameters instead', place)
            }
        } else if (checkNamed(named ?: [:], !hasBody, fault)) {
            List<String> given = (named ?: [:]).keySet()*.text
            needed.findAll { !given.contains(it) }.each { fault("Missing required parameter: \"${it}\"", place) }
        }
    }

    /** Find the faults of the arguments of an option, a parameter or a trigger. */
    void checkDeclared(Map<ConstantExpression, Expression> named, List<Expression> plain, Object place, Closure fault) {
        if (named != null) {
            checkNamed(named, false, fault)
        } else if (plain.size() > 1) {
            fault("Arguments to \"${name}\" must be explicitly named.", place)
        } else if (plain.size() != needed.size()) {
            fault("\"${name}\" should have ${needed.size()} arguments but has ${plain.size()} arguments instead.", place)
        } else {
            plain.each { checkValue(it, parameters[needed[0]], '', fault) }
        }
    }

    private String getSole() { needed.size() == 1 ? needed[0] : needed.isEmpty() && parameters.size() == 1 ? parameters.keySet()[0] : null }

    /** Find the faults of named arguments; true if there are none. */
    private boolean checkNamed(Map<ConstantExpression, Expression> named, boolean mayBeSole, Closure fault) {
        boolean isValid = true
        named.each { key, value ->
            if (!parameters.containsKey(key.text)) {
                isValid = false
                fault("Invalid parameter \"${key.text}\", did you mean \"${findNearest(key.text, parameters.keySet() as List)}\"?", key)
            } else {
                boolean isSole = mayBeSole && named.size() == 1 && sole == key.text
                isValid &= checkValue(value, parameters[key.text], isSole ? '' : " for parameter \"${key.text}\"", fault)
            }
        }
        return isValid
    }

    private static boolean checkValue(Expression value, String kind, String which, Closure fault) {
        if (!(value instanceof ConstantExpression) || value.isNullExpression() || fits(value.value, kind)) {
            return true
        }
        fault("Expecting \"${kind}\"${which} but got \"${value.value}\" of type ${value.value.getClass()} instead", value)
        return false
    }

    // Groovy's cast of the value to the type, but for texts, numbers and truth values, which Jenkins does not convert at run time.
    private static boolean fits(Object value, String kind) {
        switch (kind) {
            case TEXT: return !(value instanceof Integer || value instanceof Boolean)
            case NUMBER: return value instanceof Number
            case UNIT: return UNITS.contains(value)
            default: return true
        }
    }

    /** The name that needs the fewest changes to become another one. */
    static String findNearest(String name, List<String> known) { known.min { measureDistance(name, it) } }

    private static int measureDistance(String first, String second) {
        int[] row = (0..second.length()) as int[]
        for (int i = 1; i <= first.length(); i++) {
            int diagonal = row[0]
            row[0] = i
            for (int j = 1; j <= second.length(); j++) {
                int above = row[j]
                int changed = diagonal + (first[i - 1] == second[j - 1] ? 0 : 1)
                row[j] = Math.min(changed, Math.min(above, row[j - 1]) + 1)
                diagonal = above
            }
        }
        return row[second.length()]
    }
}
