import net.sf.json.JSONArray
import net.sf.json.JSONObject
import org.apache.maven.model.Model
import org.jenkinsci.plugins.pipeline.utility.steps.fs.FileWrapper

/** Makes the objects that steps return of the plain data that the engine sends. */
class StepData {
    static Object revive(Object value) {
        if (value instanceof List) {
            return value.collect { revive(it) }
        }
        if (!(value instanceof Map)) {
            return value
        }
        switch (value['$data']) {
            case 'map':
                return value.value.collectEntries(new LinkedHashMap()) { [(it[0]): revive(it[1])] }
            case 'json':
                return toJson(revive(value.value))
            case 'date':
                return new Date(((Number) value.value).longValue())
            case 'file':
                return new FileWrapper((Map) value.value)
            case 'files':
                return value.value.collect { new FileWrapper((Map) it) } as FileWrapper[]
            case 'pom':
                return new Model((Map) value.value)
        }
        return value.collectEntries(new LinkedHashMap()) { key, entry -> [(key): revive(entry)] }
    }

    static Object toJson(Object value) {
        if (value instanceof Map) {
            def object = new JSONObject()
            value.each { key, entry -> object.put(key, toJson(entry)) }
            return object
        }
        if (value instanceof List) {
            def array = new JSONArray()
            value.each { array.add(toJson(it)) }
            return array
        }
        return value
    }
}
