package io.github.dl4jfuse.tools.rivals;

import java.util.List;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.schedule.ISchedule;

/** A rule for the weight matrices of one layer. */
abstract class MatrixUpdater extends StateUpdater {

    private static final long serialVersionUID = 1;

    private final int layer;
    private final List<Matrices> variables;

    /**
     * An updater of one layer.
     *
     * @param layer its number, so that DL4J never joins the matrices of two layers
     */
    MatrixUpdater(ISchedule rate, int layer, List<Matrices> variables) {
        super(rate);
        this.layer = layer;
        this.variables = variables;
    }

    /** Returns how many numbers are kept for a matrix. */
    abstract long stateSize(long inputs, long outputs);

    /**
     * Replaces the gradient by the update that will be subtracted.
     *
     * @param gradient of a matrix, [inputs, outputs] in f order
     * @param state the matrix' memory, a vector, zero at the start
     */
    abstract void stepOfMatrix(INDArray gradient, INDArray state, double rate);

    @Override
    public final long stateSize(long numParams) {
        return variables.stream()
                .filter(each -> each.length() == numParams)
                .mapToLong(each -> each.count() * stateSize(each.inputs(), each.outputs()))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "No variable of layer " + layer + " has " + numParams + " weights, but " + variables + "."));
    }

    @Override
    final void step(INDArray gradient, INDArray state, double rate) {
        long expected = variables.stream().mapToLong(Matrices::length).sum();
        if (gradient.length() != expected) {
            throw new IllegalStateException("DL4J updates " + gradient.length() + " weights of layer " + layer
                    + " together, not the " + expected + " of " + variables + ".");
        }
        long from = 0;
        long kept = 0;
        for (Matrices each : variables) {
            long size = stateSize(each.inputs(), each.outputs());
            for (int i = 0; i < each.count(); i++) {
                INDArray matrix = gradient.get(NDArrayIndex.interval(from, from + each.size()))
                        .reshape('f', each.inputs(), each.outputs());
                stepOfMatrix(matrix, state.get(NDArrayIndex.interval(kept, kept + size)), rate);
                from += each.size();
                kept += size;
            }
        }
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other)
                && layer == ((MatrixUpdater) other).layer
                && variables.equals(((MatrixUpdater) other).variables);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), layer, variables);
    }
}
