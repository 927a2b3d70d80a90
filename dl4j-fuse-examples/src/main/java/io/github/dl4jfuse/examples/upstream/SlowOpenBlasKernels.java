package io.github.dl4jfuse.examples.upstream;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reproduces: the OpenBLAS 0.3.19 that ND4J brings takes old kernels on processors newer than itself. Run it with
 * {@code OPENBLAS_VERBOSE=2}, which names the kernels, and again with {@code OPENBLAS_CORETYPE=SkylakeX} on a processor
 * with AVX-512 or {@code Haswell} on one with AVX2. See docs/upstream.md.
 */
public final class SlowOpenBlasKernels {

    private static final int SIZE = 1024;
    private static final int REPEATS = 100;

    private SlowOpenBlasKernels() {}

    public static void main(String[] args) {
        INDArray a = Nd4j.rand(SIZE, SIZE);
        INDArray b = Nd4j.rand(SIZE, SIZE);
        INDArray c = Nd4j.create(SIZE, SIZE);
        for (int i = 0; i < REPEATS / 10; i++) {
            a.mmuli(b, c);
        }
        long start = System.nanoTime();
        for (int i = 0; i < REPEATS; i++) {
            a.mmuli(b, c);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                "float product of %d x %d: %.0f GFLOP/s%n", SIZE, SIZE, 2e-9 * SIZE * SIZE * SIZE * REPEATS / seconds);
    }
}
