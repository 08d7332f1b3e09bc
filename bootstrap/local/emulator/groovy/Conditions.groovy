/** `when { ... }`: reading it collects the conditions with their values; each is evaluated when it is its turn. */
class When extends Block {
    static final List<String> KNOWN = ['allOf', 'anyOf', 'branch', 'buildingTag', 'changeRequest', 'changelog', 'changeset', 'environment', 'equals',
        'expression', 'isRestartedRun', 'not', 'tag', 'triggeredBy']
    final List<Closure> conditions = []
    boolean isBeforeAgent, isBeforeInput, isBeforeOptions

    When(Declarative owner) { super(owner) }

    void beforeAgent(boolean value) { isBeforeAgent = value }
    void beforeInput(boolean value) { isBeforeInput = value }
    void beforeOptions(boolean value) { isBeforeOptions = value }

    void expression(Closure body) {
        Closure bound = this.@owner.bindToScript(body)
        conditions << { bound.call() as boolean }
    }
    void equals(Map given) { conditions << { given.expected == given.actual } }
    void not(Closure body) { addNested(body) { List<Closure> inner -> !inner[0].call() } }
    void allOf(Closure body) { addNested(body) { List<Closure> inner -> inner.every { it.call() } } }
    void anyOf(Closure body) { addNested(body) { List<Closure> inner -> inner.any { it.call() } } }
    void isRestartedRun() { conditions << { false } }
    void buildingTag() { conditions << { readVariable('TAG_NAME') != '' } }

    void environment(Map given) {
        conditions << {
            String actual = readVariable((String) given.name), wanted = String.valueOf(given.value)
            given.ignoreCase ? actual.equalsIgnoreCase(wanted) : actual == wanted
        }
    }

    boolean evaluate() { conditions.every { it.call() } }

    Object methodMissing(String name, Object given) {
        if (!KNOWN.contains(name)) {
            throw new hudson.AbortException("Unknown conditional ${name}. Valid conditionals are: ${KNOWN.join(', ')}")
        }
        Map values = Steps.nameArguments(((Object[]) given) as List, 'value')
        conditions << {
            if (name in ['changelog', 'changeset'] && !Channel.call('_build', [reference: '', name: 'changeSets'])) {
                boolean isFirst = (Channel.call('_build', [reference: '', name: 'number']) as int) <= 1
                Channel.call('echo', [message: 'Warning, empty changelog. ' + (isFirst ? 'Probably because this is the first build.' : 'Have you run checkout?')])
                return false
            }
            Channel.call('_when', [condition: name, given: values]) as boolean
        }
    }

    private static String readVariable(String name) { Channel.call('_env', [name: name]) ?: '' }

    private void addNested(Closure body, Closure<Boolean> judge) {
        List<Closure> inner = read(new When(owner), body).conditions
        conditions << { judge.call(inner) }
    }
}

/** Reads only the flags of `when`, such as beforeAgent; the values of the conditions are not evaluated. */
class WhenFlags extends When {
    WhenFlags(Declarative owner) { super(owner) }

    void expression(Closure body) { }
    void environment(Map given) { }
    void equals(Map given) { }
    void not(Closure body) { }
    void allOf(Closure body) { }
    void anyOf(Closure body) { }
    void buildingTag() { }
    void isRestartedRun() { }

    Object methodMissing(String name, Object given) { null }
}
