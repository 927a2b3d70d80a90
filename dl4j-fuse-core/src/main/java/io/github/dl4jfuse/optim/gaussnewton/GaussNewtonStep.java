package io.github.dl4jfuse.optim.gaussnewton;

import io.github.dl4jfuse.linalg.HostArrays;
import io.github.dl4jfuse.linalg.SymmetricMatrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The direction φ of the flow dθ/dt = -φ adapted to the metric M = S S' of the outputs, with B = S' D and w as
 * {@link OutputLoss} has them:
 *
 * <pre>
 *   overparametrised   (n ≤ K)   φ = B' (B B' + μ I)⁻¹ w
 *   underparametrised  (K &lt; n)   φ = (B' B + μ I)⁻¹ B' w
 *   rank-deficient               φ = B⁺ w, eigenvalues below a cut of the largest are dropped
 * </pre>
 *
 * <p>These are one and the same least-squares problem, min |B φ - w|² + μ |φ|², in three forms. For the squared loss the
 * first is -D' (D D')⁻¹ (x - y) and the second -(D' D)⁻¹ D' (x - y) (Chen, arXiv 2311.15487). Where the Gram matrix
 * is neither cheap nor small, the problem is solved without any matrix, by conjugate gradients on its normal equations (CGLS).
 *
 * <p>Momentum in batch space: with an earlier direction φ₀, μ |φ - φ₀|² takes the place of μ |φ|² (SPRING: Goldshlager,
 * Abrahamsen, Lin 2024).
 */
public final class GaussNewtonStep {

    /** The form of the problem. */
    public enum Form {
        /** n equations. */
        BATCH_SPACE,
        /** K equations. */
        PARAMETER_SPACE,
        /** Products with D and D' only. */
        MATRIX_FREE
    }

    /** Most rows, and most columns, of a matrix that is formed by products with unit vectors. */
    public static final int FORMED_AT_MOST = 600;

    /** Most rows of a Gram matrix that is solved with; beyond them no matrix is formed. */
    public static final int SOLVED_AT_MOST = 4_096;

    /** Conjugate gradients end when |B' r - μ φ| is below this times its start. */
    public static final double CG_TOLERANCE = 1e-8;

    /** Most conjugate-gradient steps. */
    public static final int CG_LIMIT = 500;

    /** Eigenvalues of B B' below this times the largest count as zero: the numerical rank. */
    public static final double DEFAULT_CUT = 1e-9;

    private final OutputJacobian jacobian;
    private final OutputLoss.Local local;
    private final double[] whitened;
    private final int n;
    private final Form form;
    private final double tolerance;
    private final int limit;
    private SymmetricMatrix system;
    private SymmetricMatrix.Eigen eigen;
    private double[] rows; // B, for the parameter space
    private int columns;
    private double meanEigenvalue = Double.NaN;

    /**
     * A direction.
     *
     * @param direction φ, in the type of the parameters
     * @param image B φ
     * @param rank the numerical rank of B where it was found, otherwise -1
     */
    public record Solution(INDArray direction, double[] image, int rank) {}

    /** Prepares the problem in the form that suits its size. */
    public GaussNewtonStep(OutputJacobian jacobian, OutputLoss.Local local, long parameters) {
        this(jacobian, local, parameters, null, CG_TOLERANCE);
    }

    /**
     * Prepares the problem.
     *
     * @param parameters K
     * @param form null for the one that suits
     * @param tolerance of conjugate gradients, see {@link #CG_TOLERANCE}
     */
    public GaussNewtonStep(
            OutputJacobian jacobian, OutputLoss.Local local, long parameters, Form form, double tolerance) {
        this(jacobian, local, parameters, form, tolerance, CG_LIMIT);
    }

    /**
     * Prepares the problem.
     *
     * @param limit most conjugate-gradient steps, 1 or more; fewer damp more
     */
    public GaussNewtonStep(
            OutputJacobian jacobian, OutputLoss.Local local, long parameters, Form form, double tolerance, int limit) {
        this.jacobian = jacobian;
        this.local = local;
        this.tolerance = tolerance;
        this.limit = limit;
        whitened = local.whitened();
        n = whitened.length;
        this.form = form != null ? form : form(jacobian, n, parameters);
        switch (this.form) {
            case BATCH_SPACE -> prepareBatchSpace();
            case PARAMETER_SPACE -> prepareParameterSpace();
            case MATRIX_FREE -> {}
        }
    }

    /** Returns the form that suits a problem of n rows and K columns. */
    public static Form form(OutputJacobian jacobian, long n, long parameters) {
        if (parameters < n && parameters <= FORMED_AT_MOST) {
            return Form.PARAMETER_SPACE;
        }
        boolean cheap = jacobian.hasGram() ? n <= SOLVED_AT_MOST : n <= FORMED_AT_MOST;
        return cheap ? Form.BATCH_SPACE : Form.MATRIX_FREE;
    }

    private void prepareBatchSpace() {
        double[] gram = jacobian.gram(n);
        local.applyRootTransposed(gram, n);
        transpose(gram, n);
        local.applyRootTransposed(gram, n);
        system = new SymmetricMatrix(gram, n);
        meanEigenvalue = system.meanEigenvalue();
    }

    private void prepareParameterSpace() {
        INDArray matrix = jacobian.jacobian(n).castTo(DataType.DOUBLE);
        columns = (int) matrix.size(1);
        rows = HostArrays.of(matrix);
        local.applyRootTransposed(rows, columns);
        INDArray b = Nd4j.createFromArray(rows).reshape('c', n, columns);
        system = new SymmetricMatrix(HostArrays.ofSymmetric(b.transpose().mmul(b)), columns);
        meanEigenvalue = system.meanEigenvalue() * columns / n;
    }

    private static void transpose(double[] square, int n) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                double other = square[i * n + j];
                square[i * n + j] = square[j * n + i];
                square[j * n + i] = other;
            }
        }
    }

    /**
     * Returns the mean eigenvalue of B B', the unit that damping is counted in. Without a matrix, an estimate: |B' w|² / |w|²,
     * which is at most the largest.
     */
    public double meanEigenvalue() {
        if (Double.isNaN(meanEigenvalue)) {
            double squares = dot(whitened, whitened);
            INDArray image = pull(whitened);
            meanEigenvalue = squares == 0 ? 0 : dot(image, image) / squares;
        }
        return meanEigenvalue;
    }

    /**
     * Solves the damped problem.
     *
     * @param mu μ, positive
     * @param earlier φ₀, or null
     * @return null if rounding leaves no solution: take a larger μ
     */
    public Solution damped(double mu, INDArray earlier) {
        double[] ahead = earlier == null ? null : push(earlier);
        double[] target = whitened.clone();
        if (ahead != null) {
            axpy(-1, ahead, target);
        }
        Solution change;
        if (form == Form.MATRIX_FREE) {
            change = conjugateGradients(mu, target);
        } else if (form == Form.BATCH_SPACE) {
            double[] z = system.solve(mu, target);
            if (z == null) {
                return null;
            }
            double[] image = target.clone(); // B B' z = target - μ z
            axpy(-mu, z, image);
            change = new Solution(pull(z), image, -1);
        } else {
            double[] v = system.solve(mu, transposedRows(target));
            if (v == null) {
                return null;
            }
            change = new Solution(direction(v), imageOf(v), -1);
        }
        if (ahead == null) {
            return change;
        }
        axpy(1, change.image(), ahead);
        return new Solution(change.direction().addi(earlier), ahead, change.rank());
    }

    /**
     * Returns B⁺ w. Without a matrix, conjugate gradients from 0, which tend to it.
     *
     * @param cut eigenvalues of B B' below this times the largest count as zero
     */
    public Solution pseudoInverse(double cut) {
        if (form == Form.MATRIX_FREE) {
            return conjugateGradients(0, whitened);
        }
        if (eigen == null) {
            eigen = system.eigen();
        }
        double[] target = form == Form.BATCH_SPACE ? whitened : transposedRows(whitened);
        double[] solution = new double[target.length];
        double[] image = new double[n];
        double largest = eigen.values()[eigen.values().length - 1];
        int rank = 0;
        for (int i = eigen.values().length - 1; i >= 0 && eigen.values()[i] > cut * largest; i--) {
            double[] vector = eigen.vectors()[i];
            double product = dot(vector, target);
            axpy(product / eigen.values()[i], vector, solution);
            if (form == Form.BATCH_SPACE) {
                axpy(product, vector, image);
            }
            rank++;
        }
        return form == Form.BATCH_SPACE
                ? new Solution(pull(solution), image, rank)
                : new Solution(direction(solution), imageOf(solution), rank);
    }

    /**
     * Returns the change of the loss, in its own scale s / N, that the model of it quadratic in φ predicts for a step -η φ.
     */
    public double predictedReduction(double[] image, double eta, OutputLoss loss) {
        double slope = dot(whitened, image);
        return loss.scale() / loss.examples() * (eta * slope - 0.5 * eta * eta * dot(image, image));
    }

    /** Returns B v. */
    public double[] push(INDArray v) {
        double[] image = jacobian.push(v);
        local.applyRootTransposed(image, 1);
        return image;
    }

    private INDArray pull(double[] u) {
        return jacobian.pull(local.root(u));
    }

    private double[] transposedRows(double[] u) {
        double[] product = new double[columns];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < columns; j++) {
                product[j] += rows[i * columns + j] * u[i];
            }
        }
        return product;
    }

    private double[] imageOf(double[] v) {
        double[] image = new double[n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < columns; j++) {
                image[i] += rows[i * columns + j] * v[j];
            }
        }
        return image;
    }

    private INDArray direction(double[] v) {
        return Nd4j.createFromArray(v).castTo(jacobian.pull(new double[n]).dataType());
    }

    /** CGLS for min |B φ - b|² + μ |φ|², from 0. */
    private Solution conjugateGradients(double mu, double[] b) {
        double[] r = b.clone();
        INDArray s = pull(r);
        INDArray p = s.dup();
        INDArray phi = s.dup().assign(0);
        double[] image = new double[n];
        double gamma = dot(s, s);
        double end = tolerance * tolerance * gamma;
        for (int i = 0; i < limit && gamma > end; i++) {
            double[] q = push(p);
            double curvature = dot(q, q) + mu * dot(p, p);
            if (!(curvature > 0) || Double.isInfinite(curvature)) {
                break;
            }
            double alpha = gamma / curvature;
            axpy(alpha, p, phi);
            axpy(alpha, q, image);
            axpy(-alpha, q, r);
            s = pull(r);
            axpy(-mu, phi, s);
            double next = dot(s, s);
            p.muli(next / gamma).addi(s);
            gamma = next;
        }
        return new Solution(phi, image, -1);
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    static void axpy(double a, double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            y[i] += a * x[i];
        }
    }

    static double dot(INDArray a, INDArray b) {
        return Nd4j.getBlasWrapper().dot(a, b);
    }

    static void axpy(double a, INDArray x, INDArray y) {
        Nd4j.getBlasWrapper().level1().axpy(x.length(), a, x, y);
    }
}
