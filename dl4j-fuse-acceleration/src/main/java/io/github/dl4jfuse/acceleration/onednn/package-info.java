/**
 * Layers of DL4J's networks computed by oneDNN, called directly through JavaCPP. Internal: {@code Acceleration.attach} exchanges them.
 *
 * <p>A layer ({@code FastDense}, ..) knows DL4J; its kernels ({@code DenseKernels}, ..) know oneDNN and shapes, and are made once for each
 * batch size.
 */
package io.github.dl4jfuse.acceleration.onednn;
