/**
 * oneDNN called directly, for DL4J's layers on a CPU. Public is {@code Acceleration}.
 */
package io.github.dl4jfuse.acceleration;
