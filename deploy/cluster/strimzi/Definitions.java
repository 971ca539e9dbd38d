import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import io.strimzi.api.kafka.model.kafka.Kafka;
import io.strimzi.api.kafka.model.nodepool.KafkaNodePool;
import io.strimzi.api.kafka.model.topic.KafkaTopic;
import io.strimzi.api.kafka.model.user.KafkaUser;
import io.strimzi.crdgenerator.annotations.PresentInVersions;
import io.strimzi.crdgenerator.annotations.RequiredInVersions;
import java.lang.annotation.Annotation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Prints the definitions (CRDs) of Strimzi's kinds in version v1, as JSON, made from the classes of
 * its API jar: fields, types, enumerations, what is required. Not in them: patterns, ranges and
 * rules (CEL). Kubernetes' own types inside are left open.
 */
public final class Definitions {
    private static final String GROUP = "kafka.strimzi.io";
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        List<Object> items = new ArrayList<>();
        for (Class<?> kind : List.of(Kafka.class, KafkaNodePool.class, KafkaTopic.class, KafkaUser.class)) {
            items.add(definition(kind));
        }
        System.out.println(JSON.writeValueAsString(Map.of("apiVersion", "v1", "kind", "List", "items", items)));
    }

    private static Map<String, Object> definition(Class<?> kind) throws Exception {
        String name = kind.getSimpleName();
        String singular = name.toLowerCase();
        JavaType spec = JSON.constructType(kind.getMethod("getSpec").getGenericReturnType());
        Map<String, Object> properties = new LinkedHashMap<>();
        properties.put("apiVersion", Map.of("type", "string"));
        properties.put("kind", Map.of("type", "string"));
        properties.put("metadata", Map.of("type", "object"));
        properties.put("spec", schema(spec));
        properties.put("status", open());
        Map<String, Object> whole = Map.of("type", "object", "properties", properties, "required", List.of("spec"));
        return Map.of(
            "apiVersion", "apiextensions.k8s.io/v1", "kind", "CustomResourceDefinition",
            "metadata", Map.of("name", singular + "s." + GROUP),
            "spec", Map.of(
                "group", GROUP, "scope", "Namespaced",
                "names", Map.of("kind", name, "listKind", name + "List", "singular", singular, "plural", singular + "s"),
                "versions", List.of(Map.of("name", "v1", "served", true, "storage", true,
                    "subresources", Map.of("status", Map.of()), "schema", Map.of("openAPIV3Schema", whole)))));
    }

    private static Map<String, Object> schema(JavaType type) {
        Class<?> raw = type.getRawClass();
        if (type.isEnumType()) {
            return Map.of("type", "string", "enum",
                Arrays.stream(raw.getEnumConstants()).map(each -> JSON.convertValue(each, String.class)).toList());
        } else if (type.isMapLikeType() || raw == Object.class) {
            return open();
        } else if (type.isContainerType()) {
            return Map.of("type", "array", "items", schema(type.getContentType()));
        } else if (raw == String.class) {
            return Map.of("type", "string");
        } else if (raw == Boolean.class || raw == boolean.class) {
            return Map.of("type", "boolean");
        } else if (raw == Float.class || raw == float.class || raw == Double.class || raw == double.class) {
            return Map.of("type", "number");
        } else if (raw.isPrimitive() || Number.class.isAssignableFrom(raw)) {
            return Map.of("type", "integer");
        } else if (raw.getName().startsWith("io.strimzi.")) {
            return bean(type);
        }
        return open();
    }

    /** A bean's fields; of a type with subtypes, the fields of all of them, as Strimzi's own does. */
    private static Map<String, Object> bean(JavaType type) {
        Map<String, Object> properties = new LinkedHashMap<>();
        TreeSet<String> required = new TreeSet<>();
        JsonSubTypes subtypes = type.getRawClass().getAnnotation(JsonSubTypes.class);
        Stream<JavaType> concrete = subtypes == null ? Stream.of(type)
            : Arrays.stream(subtypes.value()).map(each -> JSON.constructType(each.value()));
        concrete.forEach(each -> fields(each, properties, subtypes == null ? required : new TreeSet<>()));
        if (subtypes != null) {
            properties.put("type", Map.of("type", "string",
                "enum", Arrays.stream(subtypes.value()).map(JsonSubTypes.Type::name).toList()));
            required.add("type");
        }
        Map<String, Object> made = new LinkedHashMap<>(Map.of("type", "object", "properties", properties));
        if (!required.isEmpty()) {
            made.put("required", required);
        }
        return made;
    }

    private static void fields(JavaType type, Map<String, Object> properties, TreeSet<String> required) {
        for (BeanPropertyDefinition field : JSON.getSerializationConfig().introspect(type).findProperties()) {
            PresentInVersions present = found(field, PresentInVersions.class);
            if (present != null && !holds(present.value())) {
                continue;
            }
            properties.put(field.getName(), schema(field.getPrimaryType()));
            RequiredInVersions needed = found(field, RequiredInVersions.class);
            JsonProperty always = found(field, JsonProperty.class);
            if ((needed != null && holds(needed.value())) || (always != null && always.required())) {
                required.add(field.getName());
            }
        }
    }

    private static <A extends Annotation> A found(BeanPropertyDefinition field, Class<A> annotation) {
        for (AnnotatedMember member : new AnnotatedMember[] {field.getGetter(), field.getField()}) {
            if (member != null && member.getMember() instanceof java.lang.reflect.AnnotatedElement element
                    && element.isAnnotationPresent(annotation)) {
                return element.getAnnotation(annotation);
            }
        }
        return null;
    }

    /** Whether v1, the newest version, is in a range such as v1beta2, v1beta2+ or v1beta1-v1. */
    private static boolean holds(String versions) {
        return versions.endsWith("+") || versions.equals("v1") || versions.endsWith("-v1") || versions.equals("all");
    }

    private static Map<String, Object> open() {
        return Map.of("type", "object", "x-kubernetes-preserve-unknown-fields", true);
    }
}
