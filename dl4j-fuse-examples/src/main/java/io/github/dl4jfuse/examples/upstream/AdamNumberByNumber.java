package io.github.dl4jfuse.examples.upstream;

import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.updaters.AdamUpdater;
import org.nd4j.linalg.factory.Nd4j;

/** Reproduces: ND4J's operation for Adam takes several times as long as the same arithmetic in a plain loop in Java. See docs/upstream.md. */
public final class AdamNumberByNumber {

    private static final int NUMBERS = 235_146;
    private static final int REPEATS = 500;

    private AdamNumberByNumber() {}

    public static void main(String[] args) {
        INDArray gradient = Nd4j.rand(DataType.FLOAT, NUMBERS);
        INDArray first = Nd4j.zeros(DataType.FLOAT, NUMBERS);
        INDArray second = Nd4j.zeros(DataType.FLOAT, NUMBERS);
        float[] g = gradient.data().asFloat();
        float[] m = new float[NUMBERS];
        float[] v = new float[NUMBERS];
        double operation = Double.POSITIVE_INFINITY;
        double loop = Double.POSITIVE_INFINITY;
        for (int i = 0; i < REPEATS; i++) {
            long begin = System.nanoTime();
            Nd4j.exec(new AdamUpdater(gradient, second, first, 1e-3, 0.9, 0.999, 1e-8, i));
            long middle = System.nanoTime();
            step(g, m, v, alpha(i));
            operation = Math.min(operation, middle - begin);
            loop = Math.min(loop, System.nanoTime() - middle);
        }
        System.out.printf(Locale.ROOT, "ND4J's operation, %,d numbers: %.0f µs%n", NUMBERS, operation / 1e3);
        System.out.printf(Locale.ROOT, "the same in a loop in Java:        %.0f µs%n", loop / 1e3);
    }

    private static float alpha(int iteration) {
        double first = 1 - Math.pow(0.9, iteration + 1);
        return (float) (1e-3 * Math.sqrt(1 - Math.pow(0.999, iteration + 1)) / first);
    }

    private static void step(float[] g, float[] m, float[] v, float alpha) {
        for (int i = 0; i < g.length; i++) {
            m[i] = 0.9f * m[i] + 0.1f * g[i];
            v[i] = 0.999f * v[i] + g[i] * g[i] * 0.001f;
            g[i] = m[i] * alpha / ((float) Math.sqrt(v[i]) + 1e-8f);
        }
    }
}
