package io.github.dl4jfuse.precondition;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes an {@link InputPreconditioner} for each layer, of one rank, or of all its inputs where these are fewer.
 *
 * @param rank k, 0 or more
 * @param damping δ, positive
 */
public record InputPreconditionerFactory(int rank, double damping) implements PreconditionerFactory {

    /**
     * Returns that of the largest rank, up to {@value InputPreconditioner#DEFAULT_RANK}, at which all these layers together keep no
     * more than so many numbers.
     *
     * @param inputs nIn of each layer
     */
    public static InputPreconditionerFactory thatFits(int[] inputs, long available, double damping) {
        int rank = InputPreconditioner.DEFAULT_RANK;
        while (rank > 0 && total(inputs, rank) > available) {
            rank--;
        }
        return new InputPreconditionerFactory(rank, damping);
    }

    private static long total(int[] inputs, int rank) {
        return Arrays.stream(inputs)
                .mapToLong(each -> InputPreconditioner.size(each, Math.min(rank, each)))
                .sum();
    }

    @Override
    public long size(int inputs, boolean bias) {
        return InputPreconditioner.size(inputs, Math.min(rank, inputs));
    }

    @Override
    public InputPreconditioner create(int inputs, boolean bias, INDArray memory) {
        return new InputPreconditioner(inputs, Math.min(rank, inputs), bias, damping, memory);
    }
}
