package io.github.dl4jfuse.functions;

import io.github.dl4jfuse.functions.TestFunction.Minimum;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Softmax regression on Fisher's 150 irises, four lengths a in cm and one of three species s each:
 *
 * <pre>
 *   f(W, b) = 1/150 Σᵢ (ln Σₖ exp(wₖ·aᵢ + bₖ) - w_sᵢ·aᵢ - b_sᵢ) + λ/2 Σₖ wₖ·wₖ,   λ = 10⁻³
 * </pre>
 *
 * with x = (w₀, w₁, w₂, b): 15 variables, the order in which DL4J lays out such an output layer, and its L2 term, which
 * leaves the biases out. Convex; adding one number to all biases changes nothing, so the minimiser is a line. From 0.
 *
 * <p>The data are those of R. A. Fisher, Annals of Eugenics 7 (1936) 179-188; other copies differ in samples 35 and 38.
 */
public final class IrisLogisticRegression extends TestFunction {

    private static final double LAMBDA = 1e-3;
    private static final int SAMPLES = 150;
    private static final int LENGTHS = 4;
    private static final int SPECIES = 3;
    private static final int BIAS = SPECIES * LENGTHS;

    private final double[][] lengths = new double[SAMPLES][];
    private final int[] species = new int[SAMPLES];

    /** Reads the data from the class path. */
    public IrisLogisticRegression() {
        super("Iris logistic regression", new double[BIAS + SPECIES], new Minimum(0.09573000017782599));
        try (InputStream in = IrisLogisticRegression.class.getResourceAsStream("iris.csv");
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            lines.readLine();
            for (int i = 0; i < SAMPLES; i++) {
                double[] cells = Arrays.stream(lines.readLine().split(",", -1))
                        .mapToDouble(Double::parseDouble)
                        .toArray();
                lengths[i] = Arrays.copyOf(cells, LENGTHS);
                species[i] = (int) cells[LENGTHS];
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public double value(double[] x) {
        double loss = 0;
        for (int i = 0; i < SAMPLES; i++) {
            double[] scores = scores(x, lengths[i]);
            double top = Arrays.stream(scores).max().orElseThrow();
            double sum = Arrays.stream(scores).map(z -> Math.exp(z - top)).sum();
            loss += Math.log(sum) + top - scores[species[i]];
        }
        double squares = 0;
        for (int j = 0; j < BIAS; j++) {
            squares += x[j] * x[j];
        }
        return loss / SAMPLES + LAMBDA / 2 * squares;
    }

    @Override
    public void gradient(double[] x, double[] g) {
        Arrays.fill(g, 0);
        for (int i = 0; i < SAMPLES; i++) {
            double[] scores = scores(x, lengths[i]);
            double top = Arrays.stream(scores).max().orElseThrow();
            double sum = Arrays.stream(scores).map(z -> Math.exp(z - top)).sum();
            for (int k = 0; k < SPECIES; k++) {
                double error = Math.exp(scores[k] - top) / sum - (k == species[i] ? 1 : 0);
                for (int j = 0; j < LENGTHS; j++) {
                    g[k * LENGTHS + j] += error * lengths[i][j] / SAMPLES;
                }
                g[BIAS + k] += error / SAMPLES;
            }
        }
        for (int j = 0; j < BIAS; j++) {
            g[j] += LAMBDA * x[j];
        }
    }

    private static double[] scores(double[] x, double[] a) {
        double[] scores = new double[SPECIES];
        for (int k = 0; k < SPECIES; k++) {
            scores[k] = x[BIAS + k];
            for (int j = 0; j < LENGTHS; j++) {
                scores[k] += x[k * LENGTHS + j] * a[j];
            }
        }
        return scores;
    }
}
