package net.sf.json

/** An object of a JSON text; as a text it is JSON. */
class JSONObject extends LinkedHashMap {
    String toString() { groovy.json.JsonOutput.toJson((Map) this) }
}
