package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.optim.Objective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A polynomial of n variables with exact derivatives of any order, in coordinates that may be rotated. */
final class Polynomial {

    /** c Π x_i over the variables listed, each as often as its power. */
    private record Term(double coefficient, int[] variables) {}

    private final int n;
    private final List<Term> terms;

    private Polynomial(int n, List<Term> terms) {
        this.n = n;
        this.terms = terms;
    }

    static Polynomial zero(int n) {
        return new Polynomial(n, List.of());
    }

    int dimension() {
        return n;
    }

    /** Returns this plus c Π x_i over the variables given; one that is named twice is squared. */
    Polynomial plus(double c, int... variables) {
        List<Term> more = new ArrayList<>(terms);
        more.add(new Term(c, variables));
        return new Polynomial(n, more);
    }

    Polynomial plusPower(double c, int variable, int power) {
        int[] variables = new int[power];
        Arrays.fill(variables, variable);
        return plus(c, variables);
    }

    Polynomial derivative(int variable) {
        List<Term> derived = new ArrayList<>();
        for (Term term : terms) {
            for (int p = 0; p < term.variables.length; p++) {
                if (term.variables[p] == variable) { // the product rule, factor by factor
                    int[] rest = new int[term.variables.length - 1];
                    System.arraycopy(term.variables, 0, rest, 0, p);
                    System.arraycopy(term.variables, p + 1, rest, p, rest.length - p);
                    derived.add(new Term(term.coefficient, rest));
                }
            }
        }
        return new Polynomial(n, derived);
    }

    double value(double[] x) {
        double sum = 0;
        for (Term term : terms) {
            double product = term.coefficient;
            for (int variable : term.variables) {
                product *= x[variable];
            }
            sum += product;
        }
        return sum;
    }

    double[][] hessian(double[] x) {
        double[][] h = new double[n][n];
        for (int i = 0; i < n; i++) {
            Polynomial derived = derivative(i);
            for (int j = 0; j < n; j++) {
                h[i][j] = derived.derivative(j).value(x);
            }
        }
        return h;
    }

    double third(double[] x, int i, int j, int k) {
        return derivative(i).derivative(j).derivative(k).value(x);
    }

    Objective objective() {
        return objective(null, DataType.DOUBLE);
    }

    /** Returns y ↦ f(Q y), in double or float. */
    Objective objective(double[][] q, DataType type) {
        Polynomial[] gradient = new Polynomial[n];
        for (int i = 0; i < n; i++) {
            gradient[i] = derivative(i);
        }
        return new Objective(n, type) {
            @Override
            protected double evaluate(INDArray point, INDArray target) {
                double[] y = point.castTo(DataType.DOUBLE).toDoubleVector();
                double[] x = q == null ? y : times(q, y);
                if (target != null) {
                    double[] g = new double[n];
                    for (int i = 0; i < n; i++) {
                        g[i] = gradient[i].value(x);
                    }
                    target.assign(Nd4j.createFromArray(q == null ? g : transposeTimes(q, g)));
                }
                return Polynomial.this.value(x);
            }
        };
    }

    static double[] times(double[][] q, double[] y) {
        double[] x = new double[q.length];
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < y.length; j++) {
                x[i] += q[i][j] * y[j];
            }
        }
        return x;
    }

    static double[] transposeTimes(double[][] q, double[] y) {
        double[] x = new double[q[0].length];
        for (int i = 0; i < y.length; i++) {
            for (int j = 0; j < x.length; j++) {
                x[j] += q[i][j] * y[i];
            }
        }
        return x;
    }

    /** Returns a random orthogonal matrix: Gram-Schmidt on Gaussian rows. */
    static double[][] rotation(int n, long seed) {
        Random random = new Random(seed);
        double[][] q = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                q[i][j] = random.nextGaussian();
            }
            for (int pass = 0; pass < 2; pass++) {
                for (int k = 0; k < i; k++) {
                    double c = 0;
                    for (int j = 0; j < n; j++) {
                        c += q[i][j] * q[k][j];
                    }
                    for (int j = 0; j < n; j++) {
                        q[i][j] -= c * q[k][j];
                    }
                }
                double norm = 0;
                for (int j = 0; j < n; j++) {
                    norm += q[i][j] * q[i][j];
                }
                for (int j = 0; j < n; j++) {
                    q[i][j] /= Math.sqrt(norm);
                }
            }
        }
        return q;
    }

    /** Returns a polynomial of degree 4 with random coefficients: {@code count} terms of each degree from 1 to 4. */
    static Polynomial random(int n, int count, long seed) {
        Random random = new Random(seed);
        Polynomial f = zero(n);
        for (int degree = 1; degree <= 4; degree++) {
            for (int term = 0; term < count; term++) {
                int[] variables = random.ints(degree, 0, n).toArray();
                f = f.plus(random.nextGaussian(), variables);
            }
        }
        return f;
    }
}
