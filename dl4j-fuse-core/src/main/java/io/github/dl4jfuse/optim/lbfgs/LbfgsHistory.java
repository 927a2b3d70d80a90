package io.github.dl4jfuse.optim.lbfgs;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.linalg.Chunks;
import io.github.dl4jfuse.linalg.DeviceSums;
import io.github.dl4jfuse.linalg.Reduction;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The last m curvature pairs (s<sub>i</sub>, y<sub>i</sub>) and the L-BFGS direction p = -H g that they define.
 *
 * <p>H is the inverse BFGS matrix built from H<sub>0</sub> = γ I with γ = s·y / y·y of the newest pair, oldest pair
 * first:
 *
 * <pre>
 *   H ← (I - ρ s y') H (I - ρ y s') + ρ s s',   ρ = 1 / s·y
 * </pre>
 *
 * <p>The two-loop recursion runs on coefficients instead of vectors (Chen, Wang, Zhou, <i>Large-scale L-BFGS using
 * MapReduce</i>, NIPS 2014): with the inner products of all s<sub>i</sub>, y<sub>i</sub> and g in double precision it
 * costs O(m²) scalar operations, and p is one linear combination of 2m + 1 vectors. Of the products among the rows it
 * meets only y<sub>i</sub>·y<sub>j</sub>, and s<sub>i</sub>·y<sub>j</sub> where y<sub>j</sub> is not older: 2m with each new
 * y, and 2m with g.
 *
 * <p>What costs is memory, not arithmetic, so the products with a new y wait for the next direction: one walk over the
 * rows, {@linkplain Chunks chunk by chunk}, gives them and those with g, and a second one gives p. A pair and a direction
 * together read the 2 m n elements twice, and little else.
 *
 * <p>The rows live in memory that the caller owns (a ring, slot by slot), so they can be part of a model's updater
 * state: {@link #restore} takes up a ring that was filled before, and the next direction computes the products anew, to
 * the same bits.
 *
 * <p>A caller short of memory may let the next pair come into being where it will lie: after {@link #makeRoom} the rows
 * {@link #nextStep} and {@link #nextChange} are free for anything until the pair is offered.
 *
 * <p>Rows may be of a shorter type than the computation, such as bfloat16 for float. A pair is then rounded first and judged
 * as it is stored, so H stays the inverse BFGS matrix of the stored pairs, and positive definite. Sums and coefficients stay
 * in double precision.
 *
 * <p>Not thread-safe. Memory: the caller's 2 m n elements, 2 m² doubles, and three chunks where rows are converted.
 */
public final class LbfgsHistory implements Direction {

    /** What became of a pair offered to {@link #update}. */
    public enum Outcome {
        /** s·y was large enough as it was. */
        KEPT,
        /** y was moved towards B s (Powell) before it was stored. */
        DAMPED,
        /** The pair carried no usable curvature and was not stored. */
        SKIPPED
    }

    /** Powell's constant: a pair with s·y below this share of s·Bs is damped. */
    public static final double DAMPING = 0.2;

    /** A pair is skipped when s·y does not exceed this share of |s||y|, whatever the scale of either. */
    public static final double MIN_COSINE = 1e-8;

    /** The same for pairs that are not damped. */
    public static final double MIN_COSINE_UNDAMPED = 1e-15;

    private final int memory;
    private final HistoryRows s;
    private final HistoryRows y;
    private final Reduction kernel;
    private final HistoryMatrices matrices; // null where rows are taken one by one
    private final double[][] sy; // sy[i][j] = s_i · y_j, where j is not older than i
    private final double[][] yy; // likewise
    private int size;
    private int next;
    private int pending; // newest pairs whose products are still to be computed

    /**
     * Creates an empty history in the given memory, whose type is that of the computation.
     *
     * @param memory number of pairs m kept, at least 1
     * @param sRows one rank-1 array of m · n<sub>b</sub> elements for each piece b: slot i of s at i · n<sub>b</sub>
     * @param yRows the same for y
     */
    public LbfgsHistory(int memory, INDArray[] sRows, INDArray[] yRows) {
        this(memory, sRows, yRows, sRows[0].dataType());
    }

    /**
     * Creates an empty history in the given memory, whose type may be shorter than that of the computation.
     *
     * @param type type of the vectors that are passed to the other methods
     */
    public LbfgsHistory(int memory, INDArray[] sRows, INDArray[] yRows, DataType type) {
        this(memory, sRows, yRows, type, Reduction.ofBackend());
    }

    /**
     * Creates an empty history whose products are computed in the given way; the other constructors take what suits the
     * backend. Both ways give the same direction to rounding.
     */
    public LbfgsHistory(int memory, INDArray[] sRows, INDArray[] yRows, DataType type, Reduction kernel) {
        if (memory < 1) {
            throw new IllegalArgumentException("An L-BFGS history keeps at least one pair, not " + memory + ".");
        }
        this.memory = memory;
        s = new HistoryRows(memory, sRows, type);
        y = new HistoryRows(memory, yRows, type);
        matrices = kernel == Reduction.MATRIX && !s.areRounded() ? new HistoryMatrices(memory, sRows, yRows) : null;
        this.kernel = matrices == null ? Reduction.ROWS : Reduction.MATRIX;
        sy = new double[memory][memory];
        yy = new double[memory][memory];
    }

    /**
     * Returns the bytes that a history of one piece takes, its rows included.
     *
     * @param n number of variables
     * @param stored type of the rows
     * @param type type of the computation
     */
    public static long bytes(int memory, long n, DataType stored, DataType type) {
        long rows = Math.multiplyExact(2L * memory, n) * stored.width();
        long products = 2L * memory * memory * Double.BYTES;
        long conversions = stored == type ? 0 : 3 * Math.min(n, Chunks.CPU_LENGTH) * type.width();
        return rows + products + conversions;
    }

    /** Returns m, the largest number of pairs kept. */
    public int memory() {
        return memory;
    }

    /** Returns the number of pairs kept now. */
    public int size() {
        return size;
    }

    /** Returns the slot that the next pair goes to. */
    public int nextSlot() {
        return next;
    }

    @Override
    public boolean isSteepest() {
        return size == 0;
    }

    @Override
    public void learn(INDArray[] step, INDArray[] change) {
        update(step, change);
    }

    /** Forgets all pairs; the next direction is steepest descent. */
    @Override
    public void clear() {
        size = 0;
        next = 0;
        pending = 0;
    }

    /**
     * Takes up a ring whose rows are filled already, as after loading a model.
     *
     * @param size what {@link #size} returned when the rows were saved
     * @param nextSlot what {@link #nextSlot} returned then
     */
    public void restore(int size, int nextSlot) {
        if (size < 0 || size > memory || nextSlot < 0 || nextSlot >= memory) {
            throw new IllegalArgumentException("A history of " + memory + " pairs cannot hold " + size
                    + " of them with the next one at slot " + nextSlot + ": the saved state is damaged.");
        }
        this.size = size;
        next = nextSlot;
        pending = size;
    }

    /**
     * Drops the oldest pair if all slots are taken, so that {@link #nextStep} and {@link #nextChange} are free. They stay so
     * until a pair is stored or the history cleared.
     */
    public void makeRoom() {
        size = Math.min(size, memory - 1);
        pending = Math.min(pending, size);
    }

    /** Returns the row that the next s goes to, in the type in which it is stored; see {@link #makeRoom}. */
    public INDArray[] nextStep() {
        return s.row(next);
    }

    /** Returns the row that the next y goes to, in the type in which it is stored; see {@link #makeRoom}. */
    public INDArray[] nextChange() {
        return y.row(next);
    }

    /** Slot of the pair that is {@code age} pairs older than the newest. */
    private int slot(int age) {
        return Math.floorMod(next - 1 - age, memory);
    }

    private static double dot(INDArray a, INDArray b) {
        return Nd4j.getBlasWrapper().level1().dot(a.length(), 1, a, b);
    }

    /**
     * Stores a pair, damped by Powell's rule where its curvature is too small:
     *
     * <pre>
     *   if s·y &lt; {@value #DAMPING} s·Bs:  y ← θ y + (1 - θ) Bs,  θ = (1 - {@value #DAMPING}) s·Bs / (s·Bs - s·y)
     * </pre>
     *
     * after which s·y = {@value #DAMPING} s·Bs. For s = t p with p = -H g the product Bs is -t g, so it costs nothing
     * (Nocedal, Wright, <i>Numerical Optimization</i>, procedure 18.2). The pair is skipped when a product is not
     * finite, when s·Bs is not positive, or when s·y ≤ {@value #MIN_COSINE} |s||y|. All three tests are free of scale:
     * multiplying the objective or the parameters by a constant changes no decision.
     *
     * @param step s, the parameters' displacement; may be {@link #nextStep}; overwritten when rounded
     * @param change y, the gradient's change on the same batch; may be {@link #nextChange}; overwritten when damped or
     *     rounded
     * @param bs B s
     */
    public Outcome update(INDArray[] step, INDArray[] change, INDArray[] bs) {
        PairProducts products = PairProducts.of(kernel, step, change, bs);
        double sBs = products.stepBs();
        if (!Double.isFinite(products.curvature()) || !Double.isFinite(sBs) || sBs <= 0) {
            return Outcome.SKIPPED;
        }
        boolean damp = products.curvature() < DAMPING * sBs;
        if (damp) {
            double theta = (1 - DAMPING) * sBs / (sBs - products.curvature());
            BlockVectors.scale(theta, change);
            BlockVectors.axpy(1 - theta, bs, change);
            products = PairProducts.of(kernel, step, change, null);
        }
        if (!store(step, change, products, MIN_COSINE)) {
            return Outcome.SKIPPED;
        }
        return damp ? Outcome.DAMPED : Outcome.KEPT;
    }

    /**
     * Stores a pair as it is, as after a search for the strong Wolfe conditions, which guarantee s·y &gt; 0. The pair is
     * skipped when a product is not finite or s·y ≤ {@value #MIN_COSINE_UNDAMPED} |s||y|, where rounding may have made its
     * sign.
     *
     * @param step s; may be {@link #nextStep}; overwritten when rounded
     * @param change y; may be {@link #nextChange}; overwritten when rounded
     */
    public Outcome update(INDArray[] step, INDArray[] change) {
        return store(step, change, PairProducts.of(kernel, step, change, null), MIN_COSINE_UNDAMPED)
                ? Outcome.KEPT
                : Outcome.SKIPPED;
    }

    /** Stores a pair if its products, after rounding where rows are rounded, exceed the bound. */
    private boolean store(INDArray[] step, INDArray[] change, PairProducts products, double minCosine) {
        if (!products.exceed(minCosine)) {
            return false;
        }
        if (s.areRounded()) {
            makeRoom();
        }
        s.store(next, step);
        y.store(next, change);
        if (s.areRounded()) {
            s.load(next, step);
            y.load(next, change);
            if (!PairProducts.of(kernel, step, change, null).exceed(minCosine)) {
                return false;
            }
        }
        next = (next + 1) % memory;
        size = Math.min(size + 1, memory);
        pending = Math.min(pending + 1, memory);
        return true;
    }

    /**
     * Computes p = -H g; without any pair p = -g.
     *
     * @param gradient g; not changed
     * @param direction receives p; must not share memory with {@code gradient}
     * @return g·p, the slope along p
     */
    @Override
    public double direction(INDArray[] gradient, INDArray[] direction) {
        return direction(gradient, direction, new INDArray[0])[0];
    }

    /**
     * Does what {@link #direction(INDArray[], INDArray[])} does, and computes the squared length of another vector, which
     * {@link Reduction#MATRIX} reads back together with the rest.
     *
     * @return the slope along p, and v·v
     */
    public double[] direction(INDArray[] gradient, INDArray[] direction, INDArray[] v) {
        if (size == 0) {
            BlockVectors.assign(direction, gradient);
            BlockVectors.scale(-1, direction);
            return DeviceSums.dots(kernel, new INDArray[][] {gradient, v}, new INDArray[][] {direction, v});
        }
        double[] sg = new double[memory];
        double[] yg = new double[memory];
        double[] squares = null; // of g and v
        if (matrices == null) {
            multiply(s.cut(gradient), sg, yg);
        } else {
            squares = multiplyMatrices(gradient, v, sg, yg);
        }
        int[] slots = IntStream.range(0, size).map(this::slot).toArray();
        TwoLoopCoefficients c = TwoLoopCoefficients.of(slots, sy, yy, sg, yg);
        if (matrices == null) {
            combine(c, s.cut(gradient), s.cut(direction));
            return new double[] {BlockVectors.dot(gradient, direction), BlockVectors.dot(v, v)};
        }
        for (int b = 0; b < gradient.length; b++) {
            gradient[b].muli(c.ofGradient(), direction[b]);
        }
        matrices.combine(slot(size - 1), size, c.ofSteps(), c.ofChanges(), direction);
        double slope = c.ofGradient() * squares[0];
        for (int i : slots) {
            slope += c.ofSteps()[i] * sg[i] + c.ofChanges()[i] * yg[i];
        }
        return new double[] {slope, squares[1]};
    }

    /** Does what {@link #multiply} does with one transfer, and returns g·g and v·v. */
    private double[] multiplyMatrices(INDArray[] gradient, INDArray[] v, double[] sg, double[] yg) {
        INDArray[][] vectors = new INDArray[1 + pending][];
        vectors[0] = gradient;
        for (int newer = 0; newer < pending; newer++) {
            vectors[1 + newer] = y.row(slot(newer));
        }
        double[][] products = matrices.multiply(vectors, v);
        for (int age = 0; age < size; age++) {
            int i = slot(age);
            sg[i] = products[0][i];
            yg[i] = products[0][memory + i];
            for (int newer = 0; newer < pending && newer <= age; newer++) {
                sy[i][slot(newer)] = products[1 + newer][i];
                yy[i][slot(newer)] = products[1 + newer][memory + i];
            }
        }
        pending = 0;
        return products[vectors.length];
    }

    /** Computes the rows' products with g, and with the y that are new. */
    private void multiply(INDArray[] g, double[] sg, double[] yg) {
        for (int newer = 0; newer < pending; newer++) {
            for (int age = newer; age < size; age++) {
                sy[slot(age)][slot(newer)] = 0;
                yy[slot(age)][slot(newer)] = 0;
            }
        }
        INDArray[] fresh = new INDArray[pending];
        for (int c = 0; c < g.length; c++) {
            for (int newer = 0; newer < pending; newer++) {
                fresh[newer] = y.lastingChunk(slot(newer), c);
            }
            for (int age = 0; age < size; age++) {
                int i = slot(age);
                INDArray si = s.chunk(i, c);
                INDArray yi = y.chunk(i, c);
                sg[i] += dot(si, g[c]);
                yg[i] += dot(yi, g[c]);
                for (int newer = 0; newer < pending && newer <= age; newer++) {
                    int j = slot(newer);
                    sy[i][j] += dot(si, fresh[newer]);
                    yy[i][j] += dot(yi, fresh[newer]);
                }
            }
        }
        pending = 0;
    }

    private void combine(TwoLoopCoefficients coefficients, INDArray[] g, INDArray[] p) {
        for (int c = 0; c < p.length; c++) {
            g[c].muli(coefficients.ofGradient(), p[c]);
            for (int age = 0; age < size; age++) {
                int i = slot(age);
                axpy(coefficients.ofSteps()[i], s.chunk(i, c), p[c]);
                axpy(coefficients.ofChanges()[i], y.chunk(i, c), p[c]);
            }
        }
    }

    private static void axpy(double a, INDArray x, INDArray y) {
        Nd4j.getBlasWrapper().level1().axpy(x.length(), a, x, y);
    }
}
