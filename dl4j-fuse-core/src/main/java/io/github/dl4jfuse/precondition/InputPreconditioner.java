package io.github.dl4jfuse.precondition;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.linalg.GramSchmidt;
import java.util.Arrays;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The metric of a layer's inputs on the layer's weights. With ã = [a, 1] the input and the 1 of the bias, n their number, A
 * the second moment of ã, t = tr A / n its mean eigenvalue, and (e, Q) its k largest eigenpairs,
 *
 * <pre>
 *   T = c (I + Q (diag(w) - I) Q'),   w = (1 + e / (δ t))^(-1/2),   c = κ / √(n t - Σ e + Σ e w²)
 * </pre>
 *
 * an approximation of (I + A / (δ t))^(-1/2), scaled so that tr(T A T) = κ²: whatever the size and the number of a layer's
 * inputs, T ã has the same mean square length, so that one learning rate moves the outputs of all layers alike. Gradients
 * with respect to W̃ = T W' are G' = T G̃, and a step u in W' is T u in W̃. Inputs shorter than 1 after the damping are not
 * stretched further than κ.
 *
 * <p>A is never formed. It is an average over the first batches and a moving one from then on, kept in the span of Q:
 * Q ← orth(β Q diag(e) + (1 - β) A_b Q), β = min({@value #DECAY}, i / (i + 1)) at batch i = 0, 1, ..
 *
 * <p>A batch whose mean square is more than {@value #OUTLIER} times as large or as small as t is put aside: it changes nothing, and
 * the next batch is wanted. The {@value #PATIENCE}rd in a row is no accident, and the average starts anew with it. So one bad
 * batch, be it the first, is forgotten within a few, and an input whose size has changed for good is followed as fast. Batches whose
 * squares could overflow are never taken, so all numbers are finite.
 *
 * <p>All numbers live in memory that the caller owns, k (nIn + 2) + 2 of them, so they can be part of an updater's state.
 */
public final class InputPreconditioner implements Preconditioner {

    /** Default of k. */
    public static final int DEFAULT_RANK = 8;

    /** Default of δ, the damping in units of the mean eigenvalue. */
    public static final double DEFAULT_DAMPING = 1;

    /** κ²: the mean square length of T ã; near that of an image of Fashion-MNIST, so that Adam's usual rates keep their size. */
    public static final double SQUARED_LENGTH = 160;

    /** β, the largest weight of the past in the moving average. */
    public static final double DECAY = 0.95;

    /** A batch whose mean square is so many times larger or smaller than the average is put aside. */
    public static final double OUTLIER = 30;

    /** So many batches in a row that would be put aside are the new average instead. */
    public static final int PATIENCE = 3;

    /** Weights of a layer up to which Java is faster than four calls of BLAS, each of some 10 µs whatever its size. */
    static final int SMALL = 1024;

    private static final int FIRST_SWEEPS = 4;
    private static final int NUMBERS = 2;
    private static final long SEED = 1;
    private static final double LARGEST_FLOAT_MEAN = 1e17; // n t of it has a square, as Q is found from lengths of A Q
    private static final double LARGEST_DOUBLE_MEAN = 1e150;
    private static final double ASIDE = 1.0 / (PATIENCE + 1); // the fraction of "observations" counts batches put aside

    private final int inputs;
    private final int rank;
    private final boolean bias;
    private final double damping;
    private final INDArray weightPart; // Q without its last row, [nIn, k], f order
    private final INDArray biasPart; // the last row of Q, [1, k]
    private final INDArray eigenvalues; // [1, k]
    private final INDArray memory;
    private final INDArray numbers; // t, observations + ASIDE * batches put aside in a row
    private final INDArray factors; // c (w - 1), [k, 1]; null like Q for k = 0
    private final boolean onCpu = isOnCpu();
    private final Gemm gemm;
    private INDArray shrunkWeights; // P, whose P P' is c Q (I - diag(w)) Q', where few products are best
    private INDArray shrunkBias;
    private INDArray projected; // [k, nOut]
    private double[] copy; // Q and factors for layers that are SMALL, by rows [nIn + 2, k]; null until it is needed
    private double[] saved; // the numbers as they were last seen in the memory
    private double mean; // t
    private double observations;
    private int aside;
    private double scale = 1;

    /**
     * Takes up a metric.
     *
     * @param inputs nIn
     * @param rank k
     * @param bias whether the layer has one that is adapted with the weights
     * @param damping δ, positive
     * @param memory {@link #size} numbers, zero for a metric that has seen nothing
     */
    public InputPreconditioner(int inputs, int rank, boolean bias, double damping, INDArray memory) {
        this.inputs = inputs;
        this.rank = rank;
        this.bias = bias;
        this.damping = damping;
        this.memory = memory;
        gemm = Gemm.of(memory.dataType());
        long q = (long) inputs * rank;
        boolean directions = rank > 0;
        weightPart = directions ? memory.get(interval(0, q)).reshape('f', inputs, rank) : null;
        biasPart = directions ? memory.get(interval(q, q + rank)).reshape('c', 1, rank) : null;
        eigenvalues = directions ? memory.get(interval(q + rank, q + 2L * rank)).reshape('c', 1, rank) : null;
        factors = directions ? Nd4j.zeros(memory.dataType(), rank, 1) : null;
        numbers = memory.get(interval(q + 2L * rank, q + 2L * rank + NUMBERS));
        readNumbers();
        computeFactors();
    }

    private static volatile boolean asOnGpu;

    /** Makes metrics made from now on compute as on a GPU: for tests. */
    static void computeAsOnGpu(boolean gpu) {
        asOnGpu = gpu;
    }

    private static boolean isOnCpu() {
        return !asOnGpu && Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU;
    }

    /** Once for each batch that is taken in, not for each step: on a GPU, elements of a view bring all of its memory along. */
    private void readNumbers() {
        saved = toDoubles(numbers);
        mean = saved[0];
        observations = Math.floor(saved[1]);
        aside = (int) Math.rint((saved[1] - observations) / ASIDE);
    }

    private void saveNumbers(double newMean, double newObservations, int newAside) {
        numbers.assign(Nd4j.createFromArray(newMean, newObservations + ASIDE * newAside)
                .castTo(numbers.dataType()));
        readNumbers(); // rounded as they are saved
    }

    /** Takes up what others have put into the memory since it was read. Costs a transfer on a GPU. */
    @Override
    public void follow() {
        double[] now = saved.clone();
        if (onCpu) {
            DataBuffer data = numbers.data();
            Arrays.setAll(now, data::getDouble);
        } else {
            now = toDoubles(numbers);
        }
        if (!Arrays.equals(now, saved)) {
            readNumbers();
            computeFactors();
        }
    }

    private static double[] toDoubles(INDArray view) {
        return view.dup('c').reshape(view.length()).castTo(DataType.DOUBLE).toDoubleVector();
    }

    /** Returns how many numbers a metric keeps. */
    public static long size(int inputs, int rank) {
        return rank * (inputs + 2L) + NUMBERS;
    }

    @Override
    public boolean isIdentity() {
        return observations == 0;
    }

    /** Returns whether the last batch was put aside, or the metric was reset, so that the next batch is wanted. */
    @Override
    public boolean wantsNext() {
        return aside > 0;
    }

    /** Returns whether its average is of one batch only: its first, or the one that it began anew with. */
    @Override
    public boolean isOfOneBatch() {
        return observations == 1;
    }

    /** Forgets everything; T is the identity until the next batch, which is wanted. */
    @Override
    public void reset() {
        memory.assign(0);
        saveNumbers(0, 0, 1);
        computeFactors();
    }

    /**
     * Takes a batch of inputs into the moving average, unless it has a number that is not finite or is far from those before.
     *
     * @param rows inputs [examples, nIn]
     * @return whether it was taken; if not, {@link #wantsNext} says that it was far from the others
     */
    @Override
    public boolean observe(INDArray rows) {
        INDArray flat = rows.reshape(rows.length());
        double squares = Nd4j.getBlasWrapper().dot(flat, flat);
        double examples = rows.size(0);
        double ofBatch = (squares / examples + (bias ? 1 : 0)) / dimension();
        if (!(dimension() * ofBatch < largestMean())) {
            return false;
        }
        if (observations > 0 && (ofBatch > OUTLIER * mean || OUTLIER * ofBatch < mean)) {
            if (aside + 1 < PATIENCE) {
                saveNumbers(mean, observations, aside + 1);
                return false;
            }
            observations = 0;
        }
        double past = Math.min(DECAY, observations / (observations + 1));
        if (rank > 0) {
            turnTowards(rows, past);
        }
        saveNumbers(past * mean + (1 - past) * ofBatch, observations + 1, 0);
        computeFactors();
        return true;
    }

    private double largestMean() {
        return memory.dataType() == DataType.DOUBLE ? LARGEST_DOUBLE_MEAN : LARGEST_FLOAT_MEAN;
    }

    private void turnTowards(INDArray rows, double past) {
        boolean first = past == 0;
        if (first) {
            Random random = new Random(SEED);
            double[] start = new double[inputs * rank];
            Arrays.setAll(start, i -> random.nextGaussian());
            weightPart.assign(
                    Nd4j.createFromArray(start).castTo(memory.dataType()).reshape('c', inputs, rank));
            biasPart.assign(bias ? 1 : 0);
            GramSchmidt.orthonormalise(weightPart, bias ? biasPart : null, onCpu);
        }
        double examples = rows.size(0);
        for (int sweep = 0; sweep < (first ? FIRST_SWEEPS : 1); sweep++) {
            INDArray projected = rows.mmul(weightPart); // [examples, k]
            if (bias) {
                projected.addiRowVector(biasPart);
            }
            INDArray images = rows.transpose().mmul(projected).muli((1 - past) / examples);
            INDArray biasImages = projected.sum(true, 0).muli((1 - past) / examples);
            if (past > 0) {
                images.addi(weightPart.mulRowVector(eigenvalues).muli(past));
                biasImages.addi(biasPart.mul(eigenvalues).muli(past));
            }
            // Column lengths of A Q estimate the eigenvalues once Q has settled.
            INDArray lengths = images.mul(images).sum(true, 0);
            if (bias) {
                lengths.addi(biasImages.mul(biasImages));
            }
            weightPart.assign(images);
            biasPart.assign(bias ? biasImages : biasImages.mul(0));
            GramSchmidt.orthonormalise(weightPart, bias ? biasPart : null, onCpu);
            eigenvalues.assign(Transforms.sqrt(lengths, false));
        }
    }

    private int dimension() {
        return inputs + (bias ? 1 : 0);
    }

    private void computeFactors() {
        copy = null;
        shrunkWeights = null;
        if (isIdentity()) {
            scale = 1;
            return;
        }
        double kept = dimension() * mean;
        double[] w = new double[rank];
        double[] saved = rank == 0 ? w : toDoubles(eigenvalues);
        for (int i = 0; i < rank; i++) {
            double e = Math.max(0, saved[i]);
            w[i] = mean > 0 ? 1 / Math.sqrt(1 + e / (damping * mean)) : 1;
            kept += e * (w[i] * w[i] - 1);
        }
        scale = Math.sqrt(SQUARED_LENGTH / Math.max(1, kept));
        for (int i = 0; i < rank; i++) {
            factors.putScalar(i, 0, scale * (w[i] - 1));
        }
    }

    @Override
    public void apply(INDArray weights, INDArray biases) {
        if (isIdentity()) {
            return;
        }
        if (rank == 0) {
            weights.muli(scale);
            if (bias) {
                biases.muli(scale);
            }
            return;
        }
        if (onCpu && weights.length() <= SMALL) {
            applyInJava(weights, biases); // the same bits on every processor
            return;
        }
        if (!onCpu || gemm.isFast()) {
            applyWithFewProducts(weights, biases);
            return;
        }
        INDArray small = Nd4j.createUninitialized(weights.dataType(), new long[] {rank, weights.size(1)}, 'f');
        Nd4j.gemm(weightPart, weights, small, true, false, 1, 0);
        if (bias) {
            Nd4j.gemm(biasPart, biases, small, true, false, 1, 1);
        }
        small.muliColumnVector(factors);
        Nd4j.gemm(weightPart, small, weights, false, false, 1, scale);
        if (bias) {
            Nd4j.gemm(biasPart, small, biases, false, false, 1, scale);
        }
    }

    /** T = c I - P P', two products, and two for a bias. */
    private void applyWithFewProducts(INDArray weights, INDArray biases) {
        if (shrunkWeights == null) {
            try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                INDArray roots = Transforms.sqrt(factors.neg().reshape('c', 1, rank), false);
                shrunkWeights = weightPart.mulRowVector(roots).dup('f');
                shrunkBias = biasPart.mul(roots).dup('f');
                projected = Nd4j.createUninitialized(weights.dataType(), new long[] {rank, weights.size(1)}, 'f');
            }
        }
        gemm.multiply(shrunkWeights, weights, projected, true, false, 1, 0);
        if (bias) {
            gemm.multiply(shrunkBias, biases, projected, true, false, 1, 1);
        }
        gemm.multiply(shrunkWeights, projected, weights, false, false, -1, scale);
        if (bias) {
            gemm.multiply(shrunkBias, projected, biases, false, false, -1, scale);
        }
    }

    private void applyInJava(INDArray weights, INDArray biases) {
        if (copy == null) {
            copy = toDoubles(Nd4j.vstack(weightPart, biasPart, factors.transpose()));
        }
        DataBuffer w = weights.data();
        DataBuffer b = bias ? biases.data() : null;
        double[] column = new double[dimension()];
        double[] result = new double[dimension()];
        for (long first = 0, j = 0; first < weights.length(); first += inputs, j++) {
            for (int i = 0; i < inputs; i++) {
                column[i] = w.getDouble(first + i);
            }
            if (bias) {
                column[inputs] = b.getDouble(j);
            }
            applyTo(column, result);
            for (int i = 0; i < inputs; i++) {
                w.put(first + i, result[i]);
            }
            if (bias) {
                b.put(j, result[inputs]);
            }
        }
    }

    private void applyTo(double[] column, double[] result) {
        double[] projected = new double[rank];
        for (int i = 0; i < column.length; i++) {
            for (int r = 0; r < rank; r++) {
                projected[r] += copy[i * rank + r] * column[i];
            }
        }
        for (int r = 0; r < rank; r++) {
            projected[r] *= copy[(inputs + 1) * rank + r];
        }
        for (int i = 0; i < column.length; i++) {
            double sum = scale * column[i];
            for (int r = 0; r < rank; r++) {
                sum += copy[i * rank + r] * projected[r];
            }
            result[i] = sum;
        }
    }
}
