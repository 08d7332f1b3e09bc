/** A block of a declarative Jenkinsfile. Each method is a section that the block may have; every other name is a fault. */
abstract class Block {
    protected final Declarative owner

    Block(Declarative owner) { this.owner = owner }

    Object methodMissing(String name, Object given) { refuse(name) }

    Object refuse(String name) { owner.addFault("Undefined section \"${name}\"") }

    Object propertyMissing(String name) { owner.script.getProperty(name) }

    /** Run a body, so that its sections are stored in the block. */
    static <T extends Block> T read(T block, Closure body) {
        def reader = body.rehydrate(block, block, block)
        reader.resolveStrategy = Closure.DELEGATE_FIRST
        reader.call()
        return block
    }
}

/** The sections that the pipeline and its stages have in common. */
abstract class Section extends Block {
    Closure agentBody
    String agentWord
    Closure environmentBody
    Closure toolsBody
    List<Map> optionList = []
    Map<String, Closure> conditions = [:]
    List<Stage> stageList = []

    Section(Declarative owner) { super(owner) }

    void agent(String word) { agentWord = word }
    void agent(Closure body) { agentBody = body }
    void environment(Closure body) { environmentBody = body }
    void tools(Closure body) { toolsBody = body }
    void options(Closure body) { optionList = read(new Listed(owner, 'option', Declarative.OPTIONS), body).entries }
    void stages(Closure body) {
        stageList = read(new Stages(owner), body).entries
        if (stageList.isEmpty()) {
            owner.addFault('No stages specified')
        }
    }
    void post(Closure body) { conditions = read(new Post(owner), body).entries }

    String getAny() { 'any' }
    String getNone() { 'none' }
}

class Root extends Section {
    List<Map> parameterList = []
    List<Map> triggerList = []

    Root(Declarative owner) { super(owner) }

    void parameters(Closure body) { parameterList = read(new Listed(owner, 'parameter', Declarative.PARAMETERS), body).entries }
    void triggers(Closure body) { triggerList = read(new Listed(owner, 'trigger', Declarative.TRIGGERS), body).entries }
}

class Stage extends Section {
    final String name
    Closure stepsBody
    Closure whenBody
    Closure inputBody
    List<Stage> branches = []
    boolean isFailFast

    Stage(Declarative owner, String name) {
        super(owner)
        this.name = name
    }

    void steps(Closure body) { stepsBody = body }
    void when(Closure body) { whenBody = body }
    void input(Closure body) { inputBody = body }
    void failFast(boolean value) { isFailFast = value }
    void matrix(Closure body) { owner.addFault('The section "matrix" is not known to the emulator') }
    void parallel(Closure body) { branches = read(new Stages(owner), body).entries }

    Object refuse(String section) {
        owner.addFault("Unknown stage section \"${section}\". Starting with version 0.5, steps in a stage must be in a \u2018steps\u2019 block.")
    }

    void check() {
        int count = [stepsBody != null, !stageList.isEmpty(), !branches.isEmpty()].count { it }
        if (count == 0) {
            owner.addFault("Expected one of \"steps\", \"stages\", \"matrix\", or \"parallel\" for stage \"${name}\"")
        } else if (count > 1) {
            owner.addFault("Only one of \"matrix\", \"parallel\", \"stages\", or \"steps\" allowed for stage \"${name}\"")
        }
    }
}

class Stages extends Block {
    final List<Stage> entries = []

    Stages(Declarative owner) { super(owner) }

    void stage(String name, Closure body) {
        if (entries.any { it.name == name }) {
            owner.addFault("Duplicate stage name: \"${name}\"")
        }
        def stage = read(new Stage(owner, name), body)
        stage.check()
        entries << stage
    }

    Object refuse(String section) { owner.addFault("Expected a stage but found \"${section}\"") }
}

class Post extends Block {
    final Map<String, Closure> entries = [:]

    Post(Declarative owner) { super(owner) }

    Object methodMissing(String name, Object given) {
        def arguments = (Object[]) given
        if (!Declarative.CONDITIONS.contains(name) || arguments.length != 1 || !(arguments[0] instanceof Closure)) {
            return owner.addFault("Invalid condition \"${name}\" - valid conditions are ${Declarative.CONDITIONS}")
        }
        entries[name] = (Closure) arguments[0]
    }
}

/** Options, parameters or triggers: names with arguments. A name that is not in `known` is a fault. */
class Listed extends Block {
    final List<Map> entries = []
    private final String what
    private final List<String> known

    Listed(Declarative owner, String what, List<String> known) {
        super(owner)
        this.what = what
        this.known = known
    }

    Object methodMissing(String name, Object given) {
        List arguments = ((Object[]) given) as List
        if (!known.contains(name)) {
            if (((List) Channel.hello.symbols).contains(name)) {
                return Steps.makeSymbol(name, arguments)
            }
            return owner.addFault("Invalid ${what} type \"${name}\". Valid ${what} types: ${known.toSorted()}")
        }
        Map entry = ['$class': name] + Steps.nameArguments(arguments, 'value')
        entries << entry
        return entry
    }
}

/** `agent { ... }`, `input { ... }` and other settings: a map of names to values. */
class Settings extends Block {
    final Map values = [:]
    private final List<String> known

    Object refuse(String name) { throw new hudson.AbortException("\"${name}\" is not known here. Must be one of ${known}") }

    Settings(Declarative owner, List<String> known) {
        super(owner)
        this.known = known
    }

    Object methodMissing(String name, Object given) {
        def arguments = (Object[]) given
        if (!known.contains(name)) {
            if (((List) Channel.hello.symbols).contains(name)) {
                return Steps.makeSymbol(name, arguments as List)
            }
            return refuse(name)
        }
        def value = arguments.length == 0 ? true : arguments[0]
        values[name] = value instanceof Closure ? read(new Settings(owner, known), (Closure) value).values : value
    }
}

/** `agent { label ... }`. */
class AgentSettings extends Settings {
    AgentSettings(Declarative owner) { super(owner, ['label', 'node', 'customWorkspace']) }

    Object refuse(String name) { throw new hudson.AbortException(Declarative.invalidAgent(name)) }
}

/** `input { ... }` of a stage. */
class InputSettings extends Settings {
    InputSettings(Declarative owner) { super(owner, ['message', 'id', 'ok', 'submitter', 'submitterParameter']) }

    void parameters(Closure body) { values.parameters = read(new Listed(owner, 'parameter', Declarative.PARAMETERS), body).entries }
}

/** `environment { NAME = value }`. */
class Environment extends Block {
    final Map<String, Object> values = [:]

    Environment(Declarative owner) { super(owner) }

    Object getProperty(String name) {
        if (name in ['values', 'owner', 'metaClass', 'class']) {
            return this.metaClass.getProperty(this, name)
        }
        def held = this.@values[name]
        return held != null && !(held instanceof Map) ? held : this.@owner.script.getProperty(name)
    }

    void setProperty(String name, Object value) { this.@values[name] = value instanceof Map ? value : String.valueOf(value) }

    Map credentials(Object identifier) { ['$class': 'credentials', credentialsId: String.valueOf(identifier)] }

    Object methodMissing(String name, Object given) { this.@owner.script.invokeMethod(name, given) }
}

/** `when { ... }`: each condition is evaluated as soon as it is read. */
class When extends Block {
    final List<Boolean> results = []
    boolean isBeforeAgent, isBeforeInput, isBeforeOptions

    When(Declarative owner) { super(owner) }

    void beforeAgent(boolean value) { isBeforeAgent = value }
    void beforeInput(boolean value) { isBeforeInput = value }
    void beforeOptions(boolean value) { isBeforeOptions = value }

    void expression(Closure body) { results << (owner.bindToScript(body).call() as boolean) }
    void environment(Map given) { results << (Channel.call('_env', [name: given.name]) == String.valueOf(given.value)) }
    void equals(Map given) { results << (given.expected == given.actual) }
    void not(Closure body) { results << !readNested(body).every { it } }
    void allOf(Closure body) { results << readNested(body).every { it } }
    void anyOf(Closure body) { results << readNested(body).any { it } }
    void buildingTag() { results << (Channel.call('_env', [name: 'TAG_NAME']) != null) }

    Object methodMissing(String name, Object given) {
        if (!(name in ['branch', 'changeset', 'changelog', 'tag', 'triggeredBy', 'changeRequest'])) {
            throw new hudson.AbortException("Unknown conditional ${name}. Valid conditionals are: allOf, anyOf, branch, buildingTag, changeRequest,"
                + ' changelog, changeset, environment, equals, expression, not, tag, triggeredBy')
        }
        results << (Channel.call('_when', [condition: name, given: Steps.nameArguments(((Object[]) given) as List, 'value')]) as boolean)
    }

    private List<Boolean> readNested(Closure body) { read(new When(owner), body).results }
}

/** Reads only the flags of `when`, such as beforeAgent; the conditions are not evaluated. */
class WhenFlags extends When {
    WhenFlags(Declarative owner) { super(owner) }

    void expression(Closure body) { }
    void environment(Map given) { }
    void equals(Map given) { }
    void not(Closure body) { }
    void allOf(Closure body) { }
    void anyOf(Closure body) { }
    void buildingTag() { }

    Object methodMissing(String name, Object given) { null }
}
