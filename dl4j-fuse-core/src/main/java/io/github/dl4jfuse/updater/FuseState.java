package io.github.dl4jfuse.updater;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The layout of the state for one block of n parameters, a view of the network's updater state:
 *
 * <pre>
 *   header | m (n) | v (n) | s rows (memory · n) | y rows (memory · n)
 * </pre>
 *
 * <p>DL4J sums {@link #size} over the variables of a block, so the header is there once for each variable and n is known
 * only when the first gradient arrives; the first {@value #HEADER} numbers of it are used. Whatever must outlive a save
 * stands here and nowhere else. Whole numbers in the header are small enough to be exact in half precision.
 */
final class FuseState {

    /** Header slots of each variable; those not named below are zero and kept for later use. */
    static final int HEADER = 16;

    static final int PHASE = 0;
    static final int HISTORY_SIZE = 1;
    static final int HISTORY_NEXT = 2;
    static final int OBSERVED = 3;
    static final int AVERAGE_GRADIENT_NORM = 4;
    static final int AVERAGE_LOSS = 5;
    static final int LARGEST_BATCH = 6;
    static final int STEP_LENGTH = 7;
    static final int SLOPE = 8;
    static final int CURVATURE = 9;
    static final int HISTORY_LOSS = 10;

    /** 0 for this layout; who changes it counts on, and reads what older numbers mean. */
    static final int FORMAT = 15;

    final StateScalars header;
    final INDArray firstMoment;
    final INDArray secondMoment;
    final INDArray sRows;
    final INDArray yRows;

    FuseState(INDArray view, long n, int memory) {
        long headers = view.length() - multiples(memory) * n;
        if (n < 1 || headers < HEADER || headers % HEADER != 0) {
            throw new IllegalStateException("The updater state has " + view.length() + " numbers, which does not fit "
                    + n + " parameters with " + memory + " curvature pairs: was the model saved with another memory?");
        }
        header = new StateScalars(view.get(interval(0, HEADER)));
        if (header.get(FORMAT) != 0) {
            throw new IllegalStateException("The updater state was saved by a newer version of dl4j-fuse, in format "
                    + (long) header.get(FORMAT)
                    + ", which this version does not know: take that version, or load the model"
                    + " without its updater state.");
        }
        firstMoment = part(view, headers, 0, n);
        secondMoment = part(view, headers, n, n);
        sRows = memory == 0 ? null : part(view, headers, 2 * n, memory * n);
        yRows = memory == 0 ? null : part(view, headers, (2 + memory) * n, memory * n);
    }

    private static INDArray part(INDArray view, long headers, long from, long length) {
        return view.get(interval(headers + from, headers + from + length));
    }

    private static long multiples(int memory) {
        return 2 + 2L * memory;
    }

    static long size(int memory, long n) {
        return multiples(memory) * n + HEADER;
    }
}
