/** DL4J's updaters with the same results in less time. Only {@link io.github.dl4jfuse.acceleration.updating.FastAdam} is for other modules. */
package io.github.dl4jfuse.acceleration.updating;
