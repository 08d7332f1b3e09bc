/** A block of a declarative Jenkinsfile. Each method is a section that the block may have; every other name is a fault. */
abstract class Block {
    protected final Declarative owner

    Block(Declarative owner) { this.owner = owner }

    Object methodMissing(String name, Object given) { refuse(name) }

    Object refuse(String name) { throw new hudson.AbortException("the section ${name} is not known to the emulator") }

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
    void stages(Closure body) { stageList = read(new Stages(owner), body).entries }
    void post(Closure body) { conditions = read(new Post(owner), body).entries }

    String getAny() { 'any' }
    String getNone() { 'none' }
}

class Root extends Section {
    List<Map> parameterList = []
    List<Map> triggerList = []
    List<Map> libraryList = []

    Root(Declarative owner) { super(owner) }

    void parameters(Closure body) { parameterList = read(new Listed(owner, 'parameter', Declarative.PARAMETERS), body).entries }
    void libraries(Closure body) { libraryList = read(new Listed(owner, 'library', ['lib']), body).entries }
    void triggers(Closure body) { triggerList = read(new Listed(owner, 'trigger', Declarative.TRIGGERS), body).entries }
}

class Stage extends Section {
    final String name
    Closure stepsBody
    Closure whenBody
    Closure inputBody
    List<Stage> branches = []
    boolean isFailFast
    /** The values of the axes, for a cell of a matrix. */
    Map<String, String> cellValues = [:]

    Stage(Declarative owner, String name) {
        super(owner)
        this.name = name
    }

    boolean isBranching() { !branches.isEmpty() }

    void steps(Closure body) { stepsBody = body }
    void when(Closure body) { whenBody = body }
    void input(Closure body) { inputBody = body }
    void failFast(boolean value) { isFailFast = value }
    void matrix(Closure body) { branches = read(new Matrix(owner), body).makeCells() }
    void parallel(Closure body) { branches = read(new Stages(owner), body).entries }

}

class Stages extends Block {
    final List<Stage> entries = []

    Stages(Declarative owner) { super(owner) }

    void stage(String name, Closure body) {
        entries << read(new Stage(owner, name ?: 'error'), body)
    }
}

class Post extends Block {
    final Map<String, Closure> entries = [:]

    Post(Declarative owner) { super(owner) }

    Object methodMissing(String name, Object given) {
        def arguments = (Object[]) given
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
            throw new hudson.AbortException("the ${what} ${name} is not known to the emulator")
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

/** `environment { NAME = value }`: each value is a closure (see EnvironmentClosures) or credentials. */
class Environment extends Block {
    private final Map<String, Closure> closures = [:]
    private final Map<String, Object> values = [:]
    /** The ids of credentials by the names of their variables. */
    final Map<String, String> credentialIds = new HashMap<>()

    Environment(Declarative owner) { super(owner) }

    Object getProperty(String name) {
        if (name in ['credentialIds', 'owner', 'class']) {
            return name == 'credentialIds' ? this.@credentialIds : name == 'owner' ? this.@owner : getClass()
        }
        return name == 'env' ? getView() : knowsValue(name) ? readValue(name) : this.@owner.script.getProperty(name)
    }

    void setProperty(String name, Object value) {
        if (value instanceof Map) {
            this.@credentialIds[name] = value.credentialsId
        } else if (value instanceof Closure) {
            this.@closures[name] = value
        } else {
            this.@closures[name] = { value }
        }
    }

    boolean knowsValue(String name) { this.@closures.containsKey(name) }

    /** The value of a variable of this block; within its own value the name is that of an outer variable. */
    Object readValue(String name) {
        if (!this.@values.containsKey(name)) {
            Closure closure = this.@closures.remove(name)
            this.@values[name] = String.valueOf((Object) closure.call())
            this.@closures[name] = closure
        }
        return this.@values[name]
    }

    /** The variables that are no credentials, as `withEnv` takes them. */
    List<String> listOverrides() { new ArrayList<String>(this.@closures.keySet()).collect { "${it}=${readValue(it)}".toString() } }

    /** `env` as the values of this block see it. */
    EnvironmentVariables getView() { new EnvironmentView(this) }

    Map credentials(Object identifier) { ['$class': 'credentials', credentialsId: String.valueOf(identifier)] }

    Object methodMissing(String name, Object given) { this.@owner.script.invokeMethod(name, given) }
}

/** `env` within an `environment` block, whose variables it has, too. */
class EnvironmentView extends EnvironmentVariables {
    private final Environment block

    EnvironmentView(Environment block) { this.@block = block }

    Object getProperty(String name) { this.@block.knowsValue(name) ? this.@block.readValue(name) : super.getProperty(name) }
}
