package com.cloudbees.groovy.cps

import java.lang.annotation.Retention
import java.lang.annotation.RetentionPolicy

/** Marks methods that Jenkins runs at one go; here every method is run so. */
@Retention(RetentionPolicy.SOURCE)
@interface NonCPS {
}
