/**
 * <b>Internal.</b> Vectors in pieces, on a CPU and on a GPU, and small dense matrices on the host. May change in any version.
 */
package io.github.dl4jfuse.linalg;
