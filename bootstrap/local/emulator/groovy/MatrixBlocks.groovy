/** `matrix { ... }`: its cells become the branches of the stage. */
class Matrix extends Section {
    final Map<String, List<String>> axisValues = [:]
    private final List<Map<String, List>> excluded = []
    Closure whenBody
    Closure inputBody

    Matrix(Declarative owner) { super(owner) }

    void axes(Closure body) { axisValues.putAll(read(new Axes(owner), body).listed) }
    void excludes(Closure body) { excluded.addAll(read(new Excludes(owner), body).entries) }
    void when(Closure body) { whenBody = body }
    void input(Closure body) { inputBody = body }

    /** The cells: one for each combination of values that is not excluded. */
    List<Stage> makeCells() {
        List<Map<String, String>> combinations = [[:]]
        axisValues.each { name, values -> combinations = combinations.collectMany { before -> values.collect { before + [(name): it] } } }
        return combinations.findAll { cell -> !excluded.any { isWithin(cell, it) } }.collect { makeCell(it) }
    }

    private static boolean isWithin(Map<String, String> cell, Map<String, List> exclusion) {
        exclusion.every { name, entry -> entry[0] ? cell[name] in (List) entry[1] : !(cell[name] in (List) entry[1]) }
    }

    private Stage makeCell(Map<String, String> values) {
        def cell = new Stage(owner, 'Matrix - ' + values.collect { name, value -> "${name} = '${value}'" }.join(', '))
        ['agentBody', 'agentWord', 'environmentBody', 'toolsBody', 'optionList', 'conditions', 'stageList', 'whenBody', 'inputBody'].each {
            cell[it] = this[it]
        }
        cell.cellValues = values
        return cell
    }
}

class Axes extends Block {
    final Map<String, List<String>> listed = [:]
    final Map<String, List> entries = [:]

    Axes(Declarative owner) { super(owner) }

    void axis(Closure body) {
        def axis = read(new Axis(owner), body)
        listed[axis.label] = axis.listed
        entries[axis.label] = [axis.isPositive, axis.listed]
    }
}

class Axis extends Block {
    String label
    boolean isPositive = true
    List<String> listed = []

    Axis(Declarative owner) { super(owner) }

    Object methodMissing(String name, Object given) {
        List values = ((Object[]) given).collect { String.valueOf((Object) it) }
        if (name == 'name') {
            label = values[0]
        } else if (name in ['values', 'notValues']) {
            isPositive = name == 'values'
            listed = values
        } else {
            refuse(name)
        }
        return null
    }
}

class Excludes extends Block {
    final List<Map<String, List>> entries = []

    Excludes(Declarative owner) { super(owner) }

    void exclude(Closure body) { entries << read(new Axes(owner), body).entries }
}
