package io.github.dl4jfuse.lbfgs;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

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
 * MapReduce</i>, NIPS 2014): with the Gram matrix of all s<sub>i</sub>, y<sub>i</sub> and g in double precision it
 * costs O(m²) scalar operations, and p is one linear combination of 2m + 1 vectors. A new pair costs 4m inner products,
 * a direction 2m.
 *
 * <p>The rows live in memory that the caller owns (a ring, slot by slot), so they can be part of a model's updater
 * state: {@link #restore} takes up a ring that was filled before and computes the Gram matrix anew, to the same bits.
 *
 * <p>Not thread-safe. Memory: the caller's 2 m n elements and 3 m² doubles.
 */
public final class LbfgsHistory {

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
    private final INDArray[][] s; // [slot][piece]
    private final INDArray[][] y;
    private final double[][] ss;
    private final double[][] sy; // sy[i][j] = s_i · y_j
    private final double[][] yy;
    private int size;
    private int next;

    /**
     * Creates an empty history in the given memory.
     *
     * @param memory number of pairs m kept, at least 1
     * @param sRows one rank-1 array of m · n<sub>b</sub> elements for each piece b: slot i of s at i · n<sub>b</sub>
     * @param yRows the same for y
     */
    public LbfgsHistory(int memory, INDArray[] sRows, INDArray[] yRows) {
        if (memory < 1) {
            throw new IllegalArgumentException("An L-BFGS history keeps at least one pair, not " + memory + ".");
        }
        this.memory = memory;
        s = rows(memory, sRows);
        y = rows(memory, yRows);
        ss = new double[memory][memory];
        sy = new double[memory][memory];
        yy = new double[memory][memory];
    }

    private static INDArray[][] rows(int memory, INDArray[] pieces) {
        INDArray[][] rows = new INDArray[memory][pieces.length];
        for (int b = 0; b < pieces.length; b++) {
            long n = pieces[b].length() / memory;
            if (n * memory != pieces[b].length()) {
                throw new IllegalArgumentException("Piece " + b + " of the history has " + pieces[b].length()
                        + " elements, which is no multiple of the memory " + memory + ".");
            }
            for (int i = 0; i < memory; i++) {
                rows[i][b] = pieces[b].get(interval(i * n, (i + 1) * n));
            }
        }
        return rows;
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

    /** Forgets all pairs; the next direction is steepest descent. */
    public void clear() {
        size = 0;
        next = 0;
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
        for (int age = 0; age < size; age++) {
            int i = slot(age);
            for (int older = age; older < size; older++) {
                fillGram(i, slot(older));
            }
        }
    }

    /** Slot of the pair that is {@code age} pairs older than the newest. */
    private int slot(int age) {
        return Math.floorMod(next - 1 - age, memory);
    }

    private void fillGram(int i, int j) {
        ss[i][j] = ss[j][i] = Segments.dot(s[i], s[j]);
        yy[i][j] = yy[j][i] = Segments.dot(y[i], y[j]);
        sy[i][j] = Segments.dot(s[i], y[j]);
        if (i != j) {
            sy[j][i] = Segments.dot(s[j], y[i]);
        }
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
     * @param step s, the parameters' displacement
     * @param change y, the gradient's change on the same batch; overwritten when damped
     * @param bs B s
     */
    public Outcome update(INDArray[] step, INDArray[] change, INDArray[] bs) {
        double sBs = Segments.dot(step, bs);
        double curvature = Segments.dot(step, change);
        if (!Double.isFinite(curvature) || !Double.isFinite(sBs) || sBs <= 0) {
            return Outcome.SKIPPED;
        }
        boolean damp = curvature < DAMPING * sBs;
        if (damp) {
            double theta = (1 - DAMPING) * sBs / (sBs - curvature);
            Segments.scale(theta, change);
            Segments.axpy(1 - theta, bs, change);
            curvature = Segments.dot(step, change);
        }
        double lengths = Math.sqrt(Segments.dot(step, step)) * Math.sqrt(Segments.dot(change, change));
        if (!Double.isFinite(lengths) || !(curvature > MIN_COSINE * lengths)) {
            return Outcome.SKIPPED;
        }
        store(step, change);
        return damp ? Outcome.DAMPED : Outcome.KEPT;
    }

    /**
     * Stores a pair as it is, as after a search for the strong Wolfe conditions, which guarantee s·y &gt; 0. The pair is
     * skipped when a product is not finite or s·y ≤ {@value #MIN_COSINE_UNDAMPED} |s||y|, where rounding may have made its
     * sign.
     *
     * @param step s
     * @param change y
     */
    public Outcome update(INDArray[] step, INDArray[] change) {
        double curvature = Segments.dot(step, change);
        double lengths = Math.sqrt(Segments.dot(step, step)) * Math.sqrt(Segments.dot(change, change));
        if (!Double.isFinite(lengths) || !(curvature > MIN_COSINE_UNDAMPED * lengths)) {
            return Outcome.SKIPPED;
        }
        store(step, change);
        return Outcome.KEPT;
    }

    private void store(INDArray[] step, INDArray[] change) {
        int i = next;
        Segments.assign(s[i], step);
        Segments.assign(y[i], change);
        next = (next + 1) % memory;
        size = Math.min(size + 1, memory);
        for (int age = 0; age < size; age++) {
            fillGram(i, slot(age));
        }
    }

    /**
     * Computes p = -H g; without any pair p = -g.
     *
     * @param gradient g; not changed
     * @param direction receives p; must not share memory with {@code gradient}
     */
    public void direction(INDArray[] gradient, INDArray[] direction) {
        Segments.assign(direction, gradient);
        if (size == 0) {
            Segments.scale(-1, direction);
            return;
        }
        double[] sg = new double[memory];
        double[] yg = new double[memory];
        for (int age = 0; age < size; age++) {
            int i = slot(age);
            sg[i] = Segments.dot(s[i], gradient);
            yg[i] = Segments.dot(y[i], gradient);
        }
        // The vector of the recursion is cg g + sum cs_i s_i + sum cy_i y_i.
        double cg = -1;
        double[] cs = new double[memory];
        double[] cy = new double[memory];
        double[] alpha = new double[memory];
        for (int age = 0; age < size; age++) {
            int i = slot(age);
            alpha[i] = (cg * sg[i] + dotSlots(cs, ss[i]) + dotSlots(cy, sy[i])) / sy[i][i];
            cy[i] -= alpha[i];
        }
        int newest = slot(0);
        double gamma = sy[newest][newest] / yy[newest][newest];
        cg *= gamma;
        Arrays.setAll(cy, i -> cy[i] * gamma);
        for (int age = size - 1; age >= 0; age--) {
            int i = slot(age);
            double yq = cg * yg[i] + dotSlots(cy, yy[i]);
            for (int j = 0; j < memory; j++) {
                yq += cs[j] * sy[j][i];
            }
            cs[i] += alpha[i] - yq / sy[i][i];
        }
        Segments.scale(cg, direction);
        for (int age = 0; age < size; age++) {
            int i = slot(age);
            Segments.axpy(cs[i], s[i], direction);
            Segments.axpy(cy[i], y[i], direction);
        }
    }

    private static double dotSlots(double[] coefficients, double[] products) {
        double sum = 0;
        for (int i = 0; i < coefficients.length; i++) {
            sum += coefficients[i] * products[i];
        }
        return sum;
    }
}
