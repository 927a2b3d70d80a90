package io.github.dl4jfuse.linalg;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Cuts vectors into views so short that several of them stay in a processor's cache: whoever walks many rows of memory
 * chunk by chunk reads the one vector that all rows meet from memory once.
 *
 * <p>Vectors stay whole on other backends than the CPU, and on a CPU with several OpenMP threads, which would have to meet
 * at the end of every chunk: there a call costs more than the memory it saves.
 */
public final class Chunks {

    /**
     * Elements of a chunk: 256 KB in float, half of what a core has as second-level cache or less. Shorter ones lose to
     * ND4J's cost per call, see docs/performance.md.
     */
    public static final int CPU_LENGTH = 1 << 16;

    private static final boolean ONE_CPU_THREAD = isOneCpuThread();

    private Chunks() {}

    /** Returns the pieces cut at the length that suits backend and threads; pieces that are short enough as they are. */
    public static INDArray[] of(INDArray[] pieces) {
        return ONE_CPU_THREAD ? of(pieces, CPU_LENGTH) : pieces;
    }

    /** Returns the pieces cut whatever backend and threads are. */
    public static INDArray[] alwaysOf(INDArray[] pieces) {
        return of(pieces, CPU_LENGTH);
    }

    private static boolean isOneCpuThread() {
        Object threads = Nd4j.getExecutioner().getEnvironmentInformation().get("omp.threads");
        return Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU && "1".equals(String.valueOf(threads));
    }

    private static INDArray[] of(INDArray[] pieces, int length) {
        List<INDArray> chunks = new ArrayList<>();
        for (INDArray piece : pieces) {
            long n = piece.length();
            if (n <= length) {
                chunks.add(piece);
                continue;
            }
            for (long from = 0; from < n; from += length) {
                chunks.add(piece.get(interval(from, Math.min(n, from + length))));
            }
        }
        return chunks.toArray(new INDArray[0]);
    }
}
