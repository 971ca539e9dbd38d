package io.strimzi.crdgenerator.annotations;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** Strimzi's API classes carry it, its declaration is in a jar that is not published. */
@Retention(RetentionPolicy.RUNTIME)
public @interface RequiredInVersions {
    String value();
}
