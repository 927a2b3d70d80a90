package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Examples.Example;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;

/**
 * Control charts as a machine would draw them, in six classes, and a network that tells them apart. Made by the formulas of Alcock and
 * Manolopoulos 1999 (UCI's "Synthetic Control Chart Time Series"): y(t) = {@value #MEAN} + {@value #DEVIATION} r(t) + pattern(t)
 * for t = 1, .., {@value #LENGTH}, r uniform in (-3, 3); {@link Kind} has the patterns. The network sees (y - {@value #MEAN}) /
 * {@value #SCALE}.
 */
final class ControlCharts {

    static final int LENGTH = 60;
    static final double MEAN = 30;
    static final double DEVIATION = 2;
    static final double SCALE = 10;

    /** UCI has 100 charts of each class in all. */
    private static final int OF_EACH = 1_000;

    private static final int[] FULL = {OF_EACH, 200, 500};

    /** Charts for training in the full form. */
    static final int TRAIN = OF_EACH * Kind.values().length;

    private static final int[] FAST = {100, 50, 100};
    private static final int UNITS = 64;
    private static final long SEED = 19_990_826;

    /** The classes; numbers are drawn once for each chart. */
    enum Kind {
        /** 0. */
        NORMAL,
        /** a sin(2 pi t / T), a and T in [10, 15]. */
        CYCLIC,
        /** g t, g in [0.2, 0.5]. */
        INCREASING,
        /** -g t. */
        DECREASING,
        /** 0 before time s and k from then on, k in [7.5, 20], s in [LENGTH / 3, 2 LENGTH / 3]. */
        UPWARD,
        /** 0 before time s and -k from then on. */
        DOWNWARD;

        /** Returns the pattern without mean and noise, element t - 1 for time t. */
        double[] pattern(Random random) {
            double[] pattern = new double[LENGTH];
            double amplitude = between(10, 15, random);
            double period = between(10, 15, random);
            double slope = between(0.2, 0.5, random);
            double shift = between(7.5, 20, random);
            double since = between(LENGTH / 3.0, 2 * LENGTH / 3.0, random);
            for (int i = 0; i < LENGTH; i++) {
                int t = i + 1;
                pattern[i] = switch (this) {
                    case NORMAL -> 0;
                    case CYCLIC -> amplitude * Math.sin(2 * Math.PI * t / period);
                    case INCREASING -> slope * t;
                    case DECREASING -> -slope * t;
                    case UPWARD -> t < since ? 0 : shift;
                    case DOWNWARD -> t < since ? 0 : -shift;
                };
            }
            return pattern;
        }
    }

    private ControlCharts() {}

    private static double between(double low, double high, Random random) {
        return low + (high - low) * random.nextDouble();
    }

    /** Returns one chart, as its machine would give it. */
    static double[] chart(Kind kind, Random random) {
        double[] chart = kind.pattern(random);
        for (int i = 0; i < LENGTH; i++) {
            chart[i] += MEAN + DEVIATION * between(-3, 3, random);
        }
        return chart;
    }

    /** Returns the charts, as many of each class: 1,000, 200 and 500 for training, validation and test, or 100, 50 and 100. */
    static Split split(boolean full) {
        Random random = new Random(SEED);
        int[] counts = full ? FULL : FAST;
        return new Split(charts(counts[0], random), charts(counts[1], random), charts(counts[2], random));
    }

    private static Examples charts(int ofEach, Random random) {
        List<Example> examples = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            for (int i = 0; i < ofEach; i++) {
                double[] chart = chart(kind, random);
                float[] inputs = new float[LENGTH];
                for (int t = 0; t < LENGTH; t++) {
                    inputs[t] = (float) ((chart[t] - MEAN) / SCALE);
                }
                examples.add(Example.of(inputs, kind.ordinal(), Kind.values().length));
            }
        }
        Collections.shuffle(examples, random);
        return new Examples("Control charts", new long[] {1, LENGTH}, examples);
    }

    /** Returns an LSTM of {@value #UNITS} units with tanh, whose last output goes into a softmax. */
    static MultiLayerConfiguration network(long seed) {
        return Networks.builder(seed, WeightInit.XAVIER, Activation.TANH)
                .list()
                .layer(new LastTimeStep(new LSTM.Builder().nOut(UNITS).build()))
                .layer(Networks.classes(Kind.values().length).build())
                .setInputType(InputType.recurrent(1, LENGTH))
                .build();
    }
}
