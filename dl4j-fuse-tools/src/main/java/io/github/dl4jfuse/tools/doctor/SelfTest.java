package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Three small computations in float on whatever ND4J runs on, against the same in double in plain Java. */
final class SelfTest {

    /** Largest relative error that float accounts for; a wrong kernel is off by far more. */
    static final double TOLERANCE = 1e-4;

    private static final long SEED = 17;

    private final Random random = new Random(SEED);

    /** Returns the relative error of each computation by name; NaN where the result is. */
    Map<String, Double> run() {
        Map<String, Double> errors = new LinkedHashMap<>();
        errors.put("product", product(96));
        errors.put("training step", trainingStep(32, 20, 15, 4));
        errors.put("L-BFGS step", lbfgsStep(5000, 5));
        return errors;
    }

    private double[] uniform(int n) {
        return random.doubles(n, -1, 1).map(v -> (float) v).toArray();
    }

    private static INDArray device(double[] values, long... shape) {
        return Nd4j.createFromArray(values).castTo(DataType.FLOAT).reshape('c', shape);
    }

    /** |actual - expected| / |expected|, Euclidean. */
    static double error(INDArray actual, double[] expected) {
        double[] values =
                actual.dup('c').reshape(actual.length()).castTo(DataType.DOUBLE).toDoubleVector();
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += (values[i] - expected[i]) * (values[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        return Math.sqrt(difference / norm);
    }

    /** [rows, inner] x [inner, columns], row by row. */
    private static double[] multiply(double[] a, double[] b, int rows, int inner, int columns) {
        double[] c = new double[rows * columns];
        for (int i = 0; i < rows; i++) {
            for (int k = 0; k < inner; k++) {
                for (int j = 0; j < columns; j++) {
                    c[i * columns + j] += a[i * inner + k] * b[k * columns + j];
                }
            }
        }
        return c;
    }

    private static double[] transpose(double[] a, int rows, int columns) {
        double[] t = new double[a.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                t[j * rows + i] = a[i * columns + j];
            }
        }
        return t;
    }

    private double product(int n) {
        double[] a = uniform(n * n);
        double[] b = uniform(n * n);
        return error(device(a, n, n).mmul(device(b, n, n)), multiply(a, b, n, n, n));
    }

    /** One step of gradient descent on tanh, softmax and cross-entropy; the weights' changes are compared. */
    private double trainingStep(int batch, int inputs, int hidden, int classes) {
        double rate = 0.5;
        MultiLayerNetwork network = Networks.network(
                Networks.dense(
                        Networks.builder(1, WeightInit.XAVIER, Activation.TANH),
                        inputs,
                        new int[] {hidden},
                        Networks.classes(classes)),
                new Sgd(rate));
        double[] x = uniform(batch * inputs);
        double[] first = uniform(inputs * hidden);
        double[] second = uniform(hidden * classes);
        network.getParam("0_W").assign(device(first, inputs, hidden));
        network.getParam("1_W").assign(device(second, hidden, classes));
        double[] labels = new double[batch * classes];
        for (int i = 0; i < batch; i++) {
            labels[i * classes + random.nextInt(classes)] = 1;
        }
        network.fit(new DataSet(device(x, batch, inputs), device(labels, batch, classes)));

        double[] h = multiply(x, first, batch, inputs, hidden);
        for (int i = 0; i < h.length; i++) {
            h[i] = Math.tanh(h[i]);
        }
        double[] residual = softmax(multiply(h, second, batch, hidden, classes), classes);
        for (int i = 0; i < residual.length; i++) {
            residual[i] = (residual[i] - labels[i]) * -rate / batch;
        }
        double[] secondChange = multiply(transpose(h, batch, hidden), residual, hidden, batch, classes);
        double[] back = multiply(residual, transpose(second, hidden, classes), batch, classes, hidden);
        for (int i = 0; i < back.length; i++) {
            back[i] *= 1 - h[i] * h[i];
        }
        double[] firstChange = multiply(transpose(x, batch, inputs), back, inputs, batch, hidden);
        return Math.max(
                error(network.getParam("0_W").sub(device(first, inputs, hidden)), firstChange),
                error(network.getParam("1_W").sub(device(second, hidden, classes)), secondChange));
    }

    private static double[] softmax(double[] z, int classes) {
        double[] p = new double[z.length];
        for (int i = 0; i < z.length; i += classes) {
            double sum = 0;
            for (int j = i; j < i + classes; j++) {
                p[j] = Math.exp(z[j]);
                sum += p[j];
            }
            for (int j = i; j < i + classes; j++) {
                p[j] /= sum;
            }
        }
        return p;
    }

    /** A direction from m pairs of a diagonal quadratic, against the two-loop recursion. */
    private double lbfgsStep(int n, int m) {
        LbfgsHistory history =
                new LbfgsHistory(m, new INDArray[] {Nd4j.zeros(DataType.FLOAT, (long) m * n)}, new INDArray[] {
                    Nd4j.zeros(DataType.FLOAT, (long) m * n)
                });
        double[][] s = new double[m][];
        double[][] y = new double[m][n];
        double[] curvatures = random.doubles(n, 0.5, 2).toArray();
        for (int k = 0; k < m; k++) {
            s[k] = uniform(n);
            for (int i = 0; i < n; i++) {
                y[k][i] = (float) (curvatures[i] * s[k][i]);
            }
            history.update(new INDArray[] {device(s[k], n)}, new INDArray[] {device(y[k], n)});
        }
        double[] g = uniform(n);
        INDArray direction = Nd4j.zeros(DataType.FLOAT, n);
        history.direction(new INDArray[] {device(g, n)}, new INDArray[] {direction});
        return error(direction, twoLoops(s, y, g));
    }

    /** Nocedal, Wright, <i>Numerical Optimization</i>, algorithm 7.4; the last pair is the newest. */
    private static double[] twoLoops(double[][] s, double[][] y, double[] g) {
        int m = s.length;
        double[] q = multiply(g, new double[] {-1}, g.length, 1, 1);
        double[] alpha = new double[m];
        for (int k = m - 1; k >= 0; k--) {
            alpha[k] = dot(s[k], q) / dot(s[k], y[k]);
            add(-alpha[k], y[k], q);
        }
        double gamma = dot(s[m - 1], y[m - 1]) / dot(y[m - 1], y[m - 1]);
        q = multiply(q, new double[] {gamma}, q.length, 1, 1);
        for (int k = 0; k < m; k++) {
            add(alpha[k] - dot(y[k], q) / dot(s[k], y[k]), s[k], q);
        }
        return q;
    }

    private static double dot(double[] a, double[] b) {
        return multiply(a, b, 1, a.length, 1)[0];
    }

    private static void add(double factor, double[] x, double[] target) {
        for (int i = 0; i < x.length; i++) {
            target[i] += factor * x[i];
        }
    }
}
