package com.cloudbees.groovy.cps

import java.lang.annotation.Retention
import java.lang.annotation.RetentionPolicy

/** Marks methods that Jenkins runs without saving their state; see Cps. */
@Retention(RetentionPolicy.RUNTIME)
@interface NonCPS {
}
